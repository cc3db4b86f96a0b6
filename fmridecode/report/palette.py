"""The colours of pages and figures: one accent, greys, and a diverging pair for signed maps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """A colour's name in CSS and its values on light and on dark paper."""

    name: str
    light: str
    dark: str

    def __str__(self) -> str:
        return self.light


# Figures are drawn in the light values; inlined in a page, each becomes the CSS variable of its
# name and follows the theme. So the light values have to differ from each other.
INK = Colour(name="ink", light="#1b2127", dark="#e7eaed")
SOFT = Colour(name="soft", light="#56616b", dark="#a3adb7")
FAINT = Colour(name="faint", light="#8b959e", dark="#74808b")
RULE = Colour(name="rule", light="#dde1e5", dark="#323a42")
WASH = Colour(name="wash", light="#f5f7f8", dark="#1b2127")
PAPER = Colour(name="paper", light="#fefefe", dark="#13171b")
ACCENT = Colour(name="accent", light="#0b6a8f", dark="#5fb8dd")
TINT = Colour(name="tint", light="#e4f0f5", dark="#16303c")

COLOURS = (INK, SOFT, FAINT, RULE, WASH, PAPER, ACCENT, TINT)

# Legible on light and on dark paper, and told apart with every kind of colour blindness.
NEGATIVE = (0.05, 0.42, 0.82)
POSITIVE = (0.87, 0.34, 0.02)
OUTLINE = (0.54, 0.57, 0.60)
