#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a recorded terminal session as an SVG.

    scripts/terminal_svg.py --screen < what a terminal was sent > session
    scripts/terminal_svg.py TITLE < session > picture.svg

The session is the text that a terminal of 80 columns shows at the end, with the colours of SGR escapes
("\\x1b[1;31m"). --screen needs pyte (package python3-pyte). The same session gives the same bytes.
"""
import re
import sys
from xml.sax.saxutils import escape

COLUMNS = 80
ROWS = 500
CELL_WIDTH = 8.4  # of a monospace font of 14 px
LINE_HEIGHT = 19
PADDING = 18
BAR = 34
# Dark on light text would vanish on one of GitHub's two themes; a terminal of its own does not.
BACKGROUND, BAR_COLOUR, FOREGROUND = "#14181f", "#232a34", "#d7dde6"
STYLES = {
    "1": 'font-weight="bold" fill="#ffffff"',
    "2": 'fill="#8a94a3"',
    "1;31": 'font-weight="bold" fill="#ff7b72"',
    "32": 'fill="#7ee787"',
    "33": 'fill="#f2cc60"',
}
PROMPT = 'font-weight="bold" fill="#79c0ff"'
COMMENT = 'fill="#8a94a3" font-style="italic"'


def cells(line):
    """Each character of a line with the style that is on where it is."""
    if line.startswith("$ "):
        return [("$", PROMPT), (" ", "")] + [(c, STYLES["1"]) for c in line[2:]]
    if line.startswith("# "):
        return [(c, COMMENT) for c in line]
    found, style = [], ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if code and code.group(1) not in ("", "0") and code.group(1) not in STYLES:
            sys.exit(f"terminal_svg.py: error: no colour for {part!r}")
        if code:
            style = STYLES.get(code.group(1), "")
        else:
            found += [(c, style) for c in part]
    return found


def screen(sent):
    """What a terminal shows that was sent this: a counter that was redrawn is there once."""
    import pyte

    terminal = pyte.Screen(COLUMNS, ROWS)
    # pyte knows no faint text (2): it takes the place of italics (3) here.
    pyte.Stream(terminal).feed(re.sub(r"\r?\n", "\r\n", sent.replace("\x1b[2m", "\x1b[3m")))
    codes = {"red": "31", "green": "32", "brown": "33"}
    lines = []
    for number in range(ROWS):
        line, style = "", ""
        for column in range(COLUMNS):
            cell = terminal.buffer[number][column]
            parts = ["1"] * cell.bold + ["2"] * cell.italics + [code for name, code in codes.items() if name == cell.fg]
            if ";".join(parts) != style:
                style = ";".join(parts)
                line += f"\x1b[{style or 0}m"
            line += cell.data
        lines.append(re.sub(r" +((\x1b\[0m)?)$", r"\1", line + "\x1b[0m" * bool(style)))
    return "\n".join(lines).strip("\n") + "\n"


def runs(row):
    """(column, text, style) of each stretch of one style."""
    found = []
    for column, (character, style) in enumerate(row):
        if found and found[-1][2] == style:
            found[-1][1] += character
        else:
            found.append([column, character, style])
    return found


def picture(title, session):
    rows = [cells(line) for line in session.rstrip("\n").split("\n")]
    width = round(COLUMNS * CELL_WIDTH + 2 * PADDING)
    height = BAR + LINE_HEIGHT * len(rows) + 2 * PADDING
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        f'<path d="M0 8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v{BAR - 8}H0z" '
        f'fill="{BAR_COLOUR}"/>',
    ]
    for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{20 + 20 * i}" cy="{BAR // 2}" r="6" fill="{colour}"/>')
    out.append(
        '<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,Liberation Mono,DejaVu Sans '
        f'Mono,monospace" font-size="14" fill="{FOREGROUND}" xml:space="preserve">'
    )
    for number, row in enumerate(rows):
        y = BAR + PADDING + LINE_HEIGHT * number + 14
        for column, text, style in runs(row):
            if not text.strip():
                continue
            x = PADDING + (column + len(text) - len(text.lstrip())) * CELL_WIDTH
            text = text.strip()
            out.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{len(text) * CELL_WIDTH:.1f}"'
                f'{" " + style if style else ""}>{escape(text)}</text>'
            )
    return "\n".join(out + ["</g>", "</svg>"]) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: terminal_svg.py TITLE|--screen < session")
    text = sys.stdin.read()
    sys.stdout.write(screen(text) if sys.argv[1] == "--screen" else picture(sys.argv[1], text))
