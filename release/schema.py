"""Checks a bill of materials against CycloneDX's own schema, strictly: no property that it does not know."""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> None:
    bill = Path(sys.argv[1])
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text(encoding="utf-8")):
        sys.exit(f"{bill} is no bill of CycloneDX 1.6: {error}")
    sys.stdout.write(f"{bill} fits CycloneDX 1.6\n")


if __name__ == "__main__":
    main()
