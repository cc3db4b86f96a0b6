"""What the card of the shipped decoder says besides its numbers."""

from fmridecode.core.origin import Origin
from fmridecode.experiments.contrasts import contrasts_of, strangers
from fmridecode.experiments.regions import DOMAINS
from fmridecode.pipeline.shipped.recipe import NAME, ShippedRecipe

DESCRIPTION = (
    "A decoder of the seven task domains of the Human Connectome Project that has seen no brain: "
    "it was trained on simulated maps alone. Their regions are those of a coordinate "
    "meta-analysis (Neurosynth v7) and of textbook contrasts; laboratories differ in sign, "
    "strength, smoothness, noise, field of view, laterality, in which regions respond and which "
    "unspecific networks are active. An eighth class, other, was taught maps of none of the "
    "seven. It says that it does not know (known = false) where none of the seven is probable."
)

LIMITS = (
    "Simulated maps are easier to describe than brains: the simulated accuracy says nothing "
    "about real maps, of which the scores name all that were tried. Use it for a first look, as "
    "a start for training (--init-from), or where there are too few maps to train on; a decoder "
    "trained on your own participants is better founded. Maps of tasks other than the seven "
    "should be not known; many will be taken for one of the seven all the same."
)


def origin_of(recipe: ShippedRecipe) -> Origin:
    """Return where the shipped decoder comes from, before it is scored."""
    return Origin(
        title=NAME,
        description=DESCRIPTION,
        limits=LIMITS,
        dataset=f"simulated by fmridecode-tools shipped --seed {recipe.seed}",
        authors=("the fmridecode developers",),
        licence="ODbL-1.0",
        definitions=(
            *(
                "meta-analysis, or "
                + ", ".join(_plain(each.name) for each in contrasts_of(domain))
                for domain in DOMAINS
            ),
            "none of these: " + ", ".join(strangers().train),
        ),
    )


def _plain(name: str) -> str:
    return name.partition(".")[2].replace("_", " ")
