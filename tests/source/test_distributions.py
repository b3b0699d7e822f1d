from __future__ import annotations

import importlib.metadata

import pytest

from paper2code_local.source.distributions import brought_by, distribution, gives, normalised, providers, usual


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cv2", "opencv-python"),
        ("yaml", "PyYAML"),
        ("sklearn", "scikit-learn"),
        ("PIL", "Pillow"),
        ("bs4", "beautifulsoup4"),
        ("skimage", "scikit-image"),
        ("dateutil", "python-dateutil"),
        ("attr", "attrs"),
        ("Crypto", "pycryptodome"),
        ("serial", "pyserial"),
        ("git", "gitpython"),
        ("faiss", "faiss-cpu"),
        ("torch_geometric", "torch-geometric"),
        ("torch", "torch"),
        ("our_own_lib", None),
    ],
)
def test_the_distribution_that_people_mean(name: str, expected: str | None) -> None:
    assert usual(name) == expected
    assert expected is None or gives(expected, name)


def test_what_is_installed_here_agrees_with_the_table() -> None:
    """Wherever the table knows a distribution, its real import names are among those of the table."""
    for name, names in importlib.metadata.packages_distributions().items():
        for each in names:
            known = distribution(each)
            if known is not None and known.imports and not name.startswith("_") and providers(name):
                assert gives(each, name), (each, name)


def test_names_are_compared_as_pep_503_says() -> None:
    assert normalised("Ruamel.YAML__x") == "ruamel-yaml-x"
    assert distribution("Scikit_Learn") is distribution("scikit-learn")


def test_what_comes_along_comes_along_through_others_too() -> None:
    assert brought_by(["seaborn"])["numpy"] == "seaborn"
    assert brought_by(["timm"])["pillow"] == "timm"
    assert brought_by(["unheard-of"]) == {}
