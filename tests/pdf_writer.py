"""A tiny PDF writer for tests: standard fonts, any place, size, colour and rendering mode; images and boxes.

Text is set in Courier, whose characters are all 0.6 em wide, so that widths are known without font metrics.
Co-ordinates are points from the upper left corner of a page of 612 × 792.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

WIDTH, HEIGHT = 612, 792
FONTS = ("Courier", "Courier-Bold", "Courier-Oblique", "Times-Roman", "Helvetica-Bold", "Symbol")


@dataclass
class Sheet:
    """One page; `y` is where the next line goes."""

    y: float = 72.0
    parts: list[str] = field(default_factory=list)

    def put(
        self, text: str, x: float, y: float, *, font: str = "Courier", size: float = 10.0, colour: str = "0 0 0",
        mode: int = 0, matrix: str = "1 0 0 1",
    ) -> None:  # fmt: skip
        """Set one line of text with its baseline at y."""
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self.parts.append(f"BT /{font} {size} Tf {mode} Tr {colour} rg {matrix} {x} {HEIGHT - y} Tm ({escaped}) Tj ET")

    def line(self, text: str, *, x: float = 72, gap: float = 12, font: str = "Courier", size: float = 10) -> None:
        """Set one line below the last."""
        self.y += gap
        self.put(text, x, self.y, font=font, size=size)

    def heading(self, text: str, *, x: float = 72, size: float = 12, font: str = "Helvetica-Bold") -> None:
        """Set a heading with space above and below."""
        self.line(text, x=x, gap=28, font=font, size=size)
        self.y += 6

    def text(self, text: str, *, x: float = 72, width: float = 468, size: float = 10, leading: float = 12) -> None:
        """Set a paragraph, broken to fill a column, with an indent."""
        lines = textwrap.wrap(text, int(width / (0.6 * size)), initial_indent="  ", break_on_hyphens=False)
        for k, line in enumerate(lines):
            shift = 2 * 0.6 * size if k == 0 else 0
            self.line(line.strip(), x=x + shift, gap=leading, size=size)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle whose lower edge is at y."""
        self.parts.append(f"{colour} rg {x} {HEIGHT - y} {width} {height} re f")

    def image(self) -> None:
        """Show an image of one grey pixel over the whole page."""
        self.parts.append(f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 /F /AHx ID 80> EI Q")


def pdf(*sheets: Sheet, encrypt: bool = False) -> bytes:
    """Write the pages as one file; with `encrypt` it asks for a password that nobody has."""
    fonts = " ".join(f"/{name} {3 + k} 0 R" for k, name in enumerate(FONTS))
    first = 3 + len(FONTS)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    objects += [f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} {_encoding(name)} >>" for name in FONTS]
    for sheet in sheets:
        content = "\n".join(sheet.parts)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {len(objects) + 2} 0 R "
            f"/Resources << /Font << {fonts} >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    kids = " ".join(f"{first + 2 * k} 0 R" for k in range(len(sheets)))
    objects[1] = f"<< /Type /Pages /Count {len(sheets)} /Kids [{kids}] >>"
    extra = ""
    if encrypt:
        objects.append(f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>")
        extra = f"/Encrypt {len(objects)} 0 R /ID [<{'43' * 16}> <{'43' * 16}>]"
    return _file(objects, extra)


def _encoding(name: str) -> str:
    return "" if name == "Symbol" else "/Encoding /WinAnsiEncoding"


def _file(objects: list[str], extra: str) -> bytes:
    out = b"%PDF-1.5\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    tail += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {extra} >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + tail.encode("latin-1")
