"""What a release is made of: a bill of materials (CycloneDX), and the licences of all that comes with it.

It is run by the Python of an environment that has the wheel and its locked dependencies, and nothing else:

    python release/parts.py requirements.lock FOLDER
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

# Those an environment has from its beginning; no release needs them.
_TOOLS: Final = frozenset(("pip", "setuptools", "wheel"))
_PRODUCT: Final = "clippings"
_LICENCE_FILE: Final = re.compile(r"(?i)(^|/)(licen[cs]e|copying|notice|authors)[^/]*$")
# Packages that do not yet say their licence as SPDX say it in a classifier's last part.
_CLASSIFIER: Final = "License :: "


def bill_of_materials(lock: str) -> dict[str, Any]:
    """CycloneDX 1.6. The same packages make the same bill, so that two releases can be compared."""
    hashes = _hashes_by_name(lock)
    components = [_component(part, hashes) for part in _parts()]
    product = next(part for part in distributions() if _name(part) == _PRODUCT)
    serial = uuid5(NAMESPACE_URL, json.dumps([_purl(product), *(part["purl"] for part in components)]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": _purl(product),
                "name": _PRODUCT,
                "version": product.version,
                "purl": _purl(product),
            }
        },
        "components": components,
        "dependencies": [
            {"ref": _purl(part), "dependsOn": sorted(_needs(part))} for part in (product, *_parts())
        ],
    }


def licences() -> str:
    """Each package with its licence, and the texts that it brings."""
    sections = []
    for part in _parts():
        texts = [
            file.read_text(encoding="utf-8", errors="replace").strip()
            for file in (Path(str(part.locate_file(path))) for path in _licence_files(part))
            if file.is_file()
        ]
        title = f"{_name(part)} {part.version}: {_licence(part) or 'see its text'}"
        sections.append("\n\n".join((title, "=" * len(title), *texts)))
    return "\n\n\n".join(sections) + "\n"


def _component(part: Distribution, hashes: dict[str, list[str]]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(part),
        "name": _name(part),
        "version": part.version,
        "purl": _purl(part),
    }
    if summary := part.metadata.json.get("summary"):
        component["description"] = summary
    if licence := _licence(part):
        is_expression = part.metadata.json.get("license_expression") == licence
        component["licenses"] = [{"expression": licence} if is_expression else {"license": {"name": licence}}]
    # Each wheel that the lock file allows counts: which one is installed depends on the machine.
    component["properties"] = [
        {"name": "lock:sha256", "value": allowed} for allowed in hashes.get(_name(part), ())
    ]
    return component


def _parts() -> Iterator[Distribution]:
    by_name = {_name(part): part for part in distributions()}
    return (by_name[name] for name in sorted(by_name.keys() - _TOOLS - {_PRODUCT}))


def _needs(part: Distribution) -> set[str]:
    installed = {_name(each): each for each in distributions()}
    names = {re.split(r"[^A-Za-z0-9._-]", need)[0] for need in part.requires or () if "extra ==" not in need}
    return {_purl(installed[name]) for name in map(_canonical, names) if name in installed}


def _licence(part: Distribution) -> str | None:
    if expression := part.metadata.json.get("license_expression"):
        return str(expression)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in part.metadata.get_all("Classifier") or ()
        if each.startswith(_CLASSIFIER)
    ]
    said = str(part.metadata.json.get("license") or "")
    # Some packages put the whole text into the field.
    return ", ".join(classifiers) or (said if said and "\n" not in said else None)


def _licence_files(part: Distribution) -> list[str]:
    return sorted(str(file) for file in part.files or () if _LICENCE_FILE.search(str(file)))


def _hashes_by_name(lock: str) -> dict[str, list[str]]:
    hashes: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", line):
            name = _canonical(match[1])
        hashes.setdefault(name, []).extend(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return hashes


def _purl(part: Distribution) -> str:
    return f"pkg:pypi/{_name(part)}@{part.version}"


def _name(part: Distribution) -> str:
    return _canonical(part.metadata["Name"])


def _canonical(name: str) -> str:
    """PEP 503's form, in which Some_Package and some-package are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    lock, folder = Path(sys.argv[1]), Path(sys.argv[2])
    bill = json.dumps(bill_of_materials(lock.read_text(encoding="utf-8")), indent=2, ensure_ascii=False)
    (folder / "clippings.cdx.json").write_text(bill + "\n", encoding="utf-8")
    (folder / "LICENCES.txt").write_text(licences(), encoding="utf-8")


if __name__ == "__main__":
    main()
