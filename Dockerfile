# fmridecode as a BIDS App: docker run --gpus all fmridecode /bids /out participant
#
# Build arguments
#   BASE_IMAGE   a Debian-based Python image
#   TORCH_INDEX  where torch comes from; the CPU wheels make an image under 2 GB:
#                --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu130
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/fmridecode
COPY pyproject.toml README.md LICENSE /src/
COPY fmridecode /src/fmridecode
RUN /opt/fmridecode/bin/pip install --extra-index-url "${TORCH_INDEX}" "/src[fast]"

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="fmridecode" \
      org.opencontainers.image.description="Decode tasks from fMRI contrast maps and map where the information is" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/fmridecode /opt/fmridecode
COPY bids_app/run.py /opt/fmridecode/run.py
# Outside of $HOME, which Apptainer replaces; all may be overridden.
ENV PATH=/opt/fmridecode/bin:$PATH \
    TEMPLATEFLOW_HOME=/opt/templateflow \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1
RUN mkdir -p /opt/templateflow && useradd --uid 1000 --create-home fmridecode
USER 1000
ENTRYPOINT ["/opt/fmridecode/bin/python", "/opt/fmridecode/run.py"]
