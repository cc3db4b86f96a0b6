from matplotlib import rcParams
from matplotlib.axes import Axes

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.drawing import draw, slug
from fmridecode.report.palette import COLOURS


def paint(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=COLOURS[0].light)
    axes.set_title("$x_1$ <b> & co")


def example(derivatives: Derivatives) -> tuple[str, str]:
    picture = draw(
        derivatives, "a chart", paint, width=2, height=1, alt='say "it"', caption="", sources=()
    )
    saved = (derivatives.figures / "a-chart.svg").read_text(encoding="utf-8")
    return picture.markup, saved


def test_inlined_colours_follow_the_theme_and_saved_ones_do_not(derivatives: Derivatives) -> None:
    inline, saved = example(derivatives)
    assert COLOURS[0].light in saved
    assert "var(--" not in saved
    assert f"var(--{COLOURS[0].name})" in inline
    assert not any(colour.light in inline for colour in COLOURS)


def test_labels_are_neither_mathematics_nor_markup(derivatives: Derivatives) -> None:
    inline, _ = example(derivatives)
    assert "$x_1$ &lt;b&gt; &amp; co" in inline
    assert 'aria-label="say &#34;it&#34;"' in inline


def test_drawing_leaves_the_settings_of_matplotlib_alone(derivatives: Derivatives) -> None:
    before = dict(rcParams)
    example(derivatives)
    assert dict(rcParams) == before


def test_the_palette_can_be_told_apart_in_a_saved_figure() -> None:
    assert len({colour.light for colour in COLOURS}) == len(COLOURS)


def test_a_name_never_leaves_the_folder_of_the_figures() -> None:
    assert "/" not in slug("../../etc/passwd")
    assert slug("///") == "unnamed"
