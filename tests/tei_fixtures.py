"""TEI documents to test with, in the shape that GROBID gives them and in our own words."""

from __future__ import annotations

from paper2code_local.artifacts.paper import Paper
from paper2code_local.stages.s1_parse.tei import paper_of_tei

HEADER = """<teiHeader><fileDesc><titleStmt><title level="a" type="main">Cooling   Schedules</title></titleStmt>
<sourceDesc><biblStruct><analytic>
  <author><persName><forename type="first">Ada</forename><forename type="middle">B</forename><surname>Quill</surname>
  </persName><email>a@example.org</email></author>
  <author><affiliation>Nobody</affiliation></author>
  <author><persName><surname>Moss</surname></persName></author>
</analytic><monogr><title level="j">Journal of Kettles</title></monogr></biblStruct></sourceDesc></fileDesc>
<profileDesc><abstract><div><p><s>We cool.</s><s>Slowly.</s></p><p>It works.</p></div></abstract></profileDesc>
</teiHeader>"""


def tei(body: str = "", back: str = "", header: str = HEADER) -> bytes:
    text = f"<text><body>{body}</body><back>{back}</back></text>"
    return f'<TEI xmlns="http://www.tei-c.org/ns/1.0">{header}{text}</TEI>'.encode()


def parse(body: str = "", back: str = "", header: str = HEADER) -> Paper:
    return paper_of_tei(tei(body, back, header))
