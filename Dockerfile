# fmridecode as a BIDS App: docker run --gpus all fmridecode /bids /out participant
#
# Build arguments
#   BASE_IMAGE       a Debian-based image with Python 3.11 or later
#   TORCH_INDEX      where torch comes from; the CPU wheels make an image under 2 GB:
#                    --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu
#   PIP_OPTIONS      more options of pip install, for mirrors and wheels on disk
#   TEMPLATE_SPACES  the templates in the image, their MD5 verified
#   TEMPLATES        folder of the build context with a TemplateFlow archive to copy them from,
#                    such as templates; they are fetched over the network by default
#   VERSION, REVISION, SOURCE  what the labels say
ARG BASE_IMAGE=python:3.12.12-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu130
ARG PIP_OPTIONS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/fmridecode
# The libraries first, so that a change of the code alone does not load torch again.
COPY pyproject.toml /deps/
RUN python3 -c 'import tomllib; project = tomllib.load(open("/deps/pyproject.toml", "rb"))["project"]; \
print(*project["dependencies"], *project["optional-dependencies"]["fast"], sep="\n")' > /deps/requirements.txt \
    && /opt/fmridecode/bin/pip install ${TORCH_INDEX:+--extra-index-url "${TORCH_INDEX}"} \
        ${PIP_OPTIONS:+$PIP_OPTIONS} --requirement /deps/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY fmridecode /src/fmridecode
RUN /opt/fmridecode/bin/pip install ${PIP_OPTIONS:+$PIP_OPTIONS} --no-deps /src \
    && /opt/fmridecode/bin/pip freeze --exclude fmridecode > /opt/fmridecode/requirements.txt \
    && /opt/fmridecode/bin/pip uninstall --yes pip
ARG TEMPLATE_SPACES="MNI152NLin2009cAsym MNI152NLin6Asym"
ARG TEMPLATES=""
RUN --mount=type=bind,target=/context \
    for space in ${TEMPLATE_SPACES}; do \
        /opt/fmridecode/bin/fmridecode-tools templates /opt/templateflow --space "${space}" \
            ${TEMPLATES:+--source "/context/${TEMPLATES}"} || exit 1; \
    done

FROM ${BASE_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.title="fmridecode" \
      org.opencontainers.image.description="Decode tasks from fMRI contrast maps and map where the information is" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /opt/fmridecode /opt/fmridecode
COPY --from=build /opt/templateflow /opt/templateflow
COPY bids_app/run.py /opt/fmridecode/run.py
# Outside of $HOME, which Apptainer replaces; all may be overridden. A user id without a name in
# /etc/passwd is called USER.
ENV PATH=/opt/fmridecode/bin:$PATH \
    TEMPLATEFLOW_HOME=/opt/templateflow \
    MPLCONFIGDIR=/tmp/matplotlib \
    FMRIDECODE_CONTAINER_TAG=fmridecode:${VERSION} \
    HOME=/tmp \
    USER=fmridecode \
    PYTHONDONTWRITEBYTECODE=1
USER 1000
ENTRYPOINT ["/opt/fmridecode/bin/python", "/opt/fmridecode/run.py"]
