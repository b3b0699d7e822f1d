r"""What the commands of LaTeX and its usual packages are to a reader: layout, symbols, accents.

In: nothing. Out: tables. Must not know how they are used.

A signature says which arguments of a command are layout and are read away: s a star, o an option, m an argument, d a
length without braces. Whatever is not named here keeps its arguments as text.
"""

from __future__ import annotations

from functools import cache

from pylatexenc import latex2text

_BY_SIGNATURE = {
    "m": """pagestyle thispagestyle bibliographystyle graphicspath index phantom hphantom vphantom hypersetup
        setcitestyle usetikzlibrary tikzset pgfplotsset pgfkeys lstset hyphenation pagenumbering sisetup newlength
        newsavebox usebox cline theoremstyle urlstyle fancyhf date lhead rhead chead lfoot rfoot cfoot acmYear acmDOI
        acmISBN acmPrice setcopyright copyrightyear acmVolume acmNumber acmArticle acmMonth acmJournal received orcid
        cormark fnmark externaldocument floatstyle restylefloat microtypesetup setmainfont setsansfont setmonofont
        SetAlFnt SetAlCapFnt SetCommentSty titlerunning authorrunning runningtitle runningauthor shorttitle
        shortauthors icmltitlerunning thanksref settopmatter acmSubmissionID displaybreak linespread setstretch
        inst corref fnref tnoteref authornotemark orcidID orcidlink DeclareGraphicsExtensions hyperlink
        hypertarget PassOptionsToPackage linenumbersep counterwithout
        pgfmathsetmacro @addtoreset ProvidesPackage ProvidesClass NeedsTeXFormat""",
    "sm": "vspace hspace enlargethispage addvspace",
    "mm": """setlength addtolength settowidth settoheight fontsize DeclareUnicodeCharacter SetKw SetKwData SetKwFunction
        SetKwComment SetKwInOut SetKwInput floatname icmlsetsymbol fancypagestyle pdfglyphtounicode colorlet
        theoremheaderfont""",
    "mmm": "specialrule definecolor addcontentsline crefname Crefname newfloat rowcolors",
    "mmmm": "SetKwFor SetKwProg DeclareMathSizes DeclareMathSymbol",
    "mmmmm": "DeclareSymbolFont DeclareMathAlphabet",
    "smm": "resizebox",
    "smmmo": "titlespacing",
    "smmmmo": "titleformat",
    "om": """captionsetup color pagecolor rowcolor columncolor cellcolor fancyhead fancyfoot acmConference ccsdesc
        setlist ead textcolor colorbox adjustbox bibpunct rotatebox""",
    "som": "includegraphics includesvg includepdf",
    "omm": "rule pdfbookmark fcolorbox",
    "ommm": "newtcolorbox",
    "moo": "raisebox",
    "mo": "scalebox",
    "ooom": "parbox",
    "oo": "makebox framebox",
    "o": "addlinespace allowdisplaybreaks toprule midrule bottomrule smash",
    "mom": "newcolumntype",
    "d": """vskip hskip kern mkern mskip parskip parindent hangindent tabcolsep arraycolsep emergencystretch
        textfloatsep belowdisplayskip abovedisplayskip abovecaptionskip belowcaptionskip floatsep intextsep""",
    "n": """pdfgentounicode pdfminorversion looseness tolerance hyphenpenalty exhyphenpenalty widowpenalty clubpenalty
        interlinepenalty penalty pdfoutput""",
}
SIGNATURES: dict[str, str] = {
    f"\\{name}": signature.strip() for signature, names in _BY_SIGNATURE.items() for name in names.split()
}
"""Command → its layout arguments."""

_STYLING = """maketitle tableofcontents listoffigures listoftables centering normalsize small footnotesize scriptsize
    tiny large Large LARGE huge Huge bf it tt rm sf sc em textbf textit texttt emph textsc underline clearpage newpage
    noindent indent bigskip medskip smallskip xspace thebibliography endthebibliography"""
STYLING = tuple(f"\\{name}" for name in _STYLING.split())
"""Commands whose text is what follows them, which style files redefine to change how it looks."""

ENVIRONMENTS: dict[str, str] = {
    "minipage": "ooom",
    "multicols": "mo",
    "wrapfigure": "omom",
    "wraptable": "omom",
    "spacing": "m",
    "adjustbox": "m",
    "adjustwidth": "mm",
    "list": "mm",
    "tcolorbox": "o",
    "mdframed": "o",
    "itemize": "o",
    "enumerate": "o",
    "description": "o",
    "compactitem": "o",
    "compactenum": "o",
    "inparaenum": "o",
    "figure": "o",
    "table": "o",
    "algorithm": "o",
    "SCfigure": "oo",
    "sidewaystable": "o",
    "sidewaysfigure": "o",
    "subfigure": "oom",
    "subtable": "oom",
    "CCSXML": "",
    "threeparttable": "o",
    "tablenotes": "o",
    "landscape": "",
    "scope": "o",
    "appendices": "",
    "abstract": "",
}
"""Environment → its layout arguments."""

DRAWINGS = frozenset({"tikzpicture", "pgfpicture", "picture", "axis", "forest", "CCSXML", "pspicture", "tikzcd"})
"""Environments whose content is a drawing or a form: it is counted and left out."""

SPACES = frozenset({" ", ",", ";", ":", "!", ">", "quad", "qquad", "enspace", "thinspace", "space", "nobreakspace"})
"""Commands that print white space, as far as a reader of text cares."""
_WITHOUT = frozenset({"today", "newline", "par", "item", "input", "include", "title", "author"})
_GREEK_AND_MORE = {
    "ldots": "…", "dots": "…", "textellipsis": "…", "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "slash": "/",
    "lq": "‘", "rq": "’", "textasciitilde": "~", "textasciicircum": "^", "ddag": "‡",
    "dag": "†", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "textregistered": "®", "texttrademark": "™",
    "checkmark": "✓", "cmark": "✓", "xmark": "✗", "textbar": "|", "textless": "<", "textgreater": ">",
    "textquotesingle": "'", "textquotedbl": '"', "textunderscore": "_", "textdollar": "$", "textbullet": "•",
    "&": "&", "%": "%", "$": "$", "#": "#", "_": "_", "{": "{", "}": "}", "@": "", "/": "", "-": "", "|": "‖",
    "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "textdegree": "°", "degree": "°", "~": "~",
}  # fmt: skip


@cache
def symbols() -> dict[str, str]:
    r"""Return command → the characters that it prints in text, without backslash ("alpha": "α")."""
    known = latex2text.get_default_latex_context_db()
    found: dict[str, str] = {}
    for category in known.categories():
        for spec in known.iter_macro_specs([category]):
            text = spec.simplify_repl
            if isinstance(text, str) and "%" not in text and text.strip() and spec.macroname not in _WITHOUT:
                found.setdefault(spec.macroname, text)
    return found | _GREEK_AND_MORE


ACCENTS = {
    "'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "H": "\u030b", "k": "\u0328", "b": "\u0331", "u": "\u0306", "v": "\u030c", "d": "\u0323",
    "r": "\u030a", "t": "\u0361",
}  # fmt: skip
"""Accent command → combining character."""
