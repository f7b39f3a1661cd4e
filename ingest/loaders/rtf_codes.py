"""What the control words of RTF stand for: characters, destinations of text, code pages."""

CHARACTERS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "page": "\n", "emdash": "\u2014", "endash": "\u2013", "emspace": " ",
    "enspace": " ", "qmspace": " ", "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
    "rdblquote": "\u201d", "nestcell": " ", "nestrow": " ",
}  # fmt: skip
SYMBOLS = {"~": "\u00a0", "_": "-", "\t": "\t"}
SINKS = {
    "footnote": "note", "annotation": "comment", "atnauthor": "author", "title": "title", "stylesheet": "styles",
    "fonttbl": "fonts", "info": "info", "fldinst": "field", "listtext": "marker", "pntext": "marker", "shptxt": "box",
    "header": "head", "headerl": "head", "headerr": "head", "headerf": "head",
    "footer": "head", "footerl": "head", "footerr": "head", "footerf": "head",
}  # fmt: skip
"""Destination -> kind of sink its text goes to."""
DROPPED = frozenset(
    "colortbl pict objdata nonshppict shprslt nonesttables pn pnseclvl sp xe tc rxe bkmkstart bkmkend "
    "filetbl listtable listoverridetable revtbl rsidtbl ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn datafield "
    "template formfield latentstyles themedata colorschememapping datastore private generator atnid atnref atndate "
    "atntime atrfstart atrfend background do falt panose fname fontemb mmathPict objclass objname".split()
)
OPEN_STARS = frozenset(("shpinst", "shppict", "annotation", "atnauthor", "fldinst", "moMathPara", "moMath"))
"""Destinations that old programs are told to skip, and that hold something to read all the same."""
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 78: "cp932", 79: "big5", 80: "cp949", 81: "mac_arabic", 83: "mac_greek",
    84: "mac_cyrillic", 85: "gb18030", 86: "mac_romanian", 89: "mac_latin2", 128: "cp932", 129: "cp949", 130: "johab",
    134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
SETS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
