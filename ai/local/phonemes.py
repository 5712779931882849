"""espeak-ng's phonemes (English, en-us) as the ARPAbet of the recogniser's acoustic model."""

_ARPABET = {
    # vowels
    "a": "AE", "aa": "AE", "a#": "AH", "A:": "AA", "A@": "AA R", "A#": "AA", "0": "AA", "0#": "AH",
    "O": "AO", "O2": "AO", "O:": "AO", "O@": "AO R", "o": "OW", "o@": "AO R",
    "E": "EH", "E#": "EH", "e@": "EH R", "eI": "EY", "e": "EY",
    "3": "ER", "3:": "ER", "@": "AH", "@2": "AH", "@5": "AH", "@-": "AH", "@L": "AH L", "V": "AH",
    "I": "IH", "I#": "IH", "I2": "IH", "i": "IY", "i:": "IY", "i::": "IY",
    "i@": "IY AH", "i@3": "IH R", "U": "UH", "U@": "UH R", "u": "UW", "u:": "UW",
    "aI": "AY", "aI@": "AY AH", "aI3": "AY ER", "aU": "AW", "aU@": "AW ER", "oU": "OW",
    "oU#": "OW", "OI": "OY",
    # consonants
    "b": "B", "tS": "CH", "d": "D", "D": "DH", "f": "F", "g": "G", "h": "HH", "dZ": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "n-": "AH N", "N": "NG", "p": "P", "r": "R", "r-": "R", "s": "S",
    "S": "SH", "t": "T", "t#": "T", "t2": "T", "?": "T", "T": "TH", "v": "V", "w": "W", "j": "Y",
    "z": "Z", "Z": "ZH", "x": "K", "C": "HH", "l^": "L", "n^": "N Y",
}  # fmt: skip
SEPARATOR = "_"


def arpabet(mnemonics: str) -> str:
    """`k_l_'o@_r_@_f_,I_l` is `K L AO R AH F IH L`; what has no counterpart is left out."""
    phones = []
    for mnemonic in mnemonics.replace(" ", SEPARATOR).split(SEPARATOR):
        phones.append(_ARPABET.get(mnemonic.lstrip("',%="), ""))
    return " ".join(phone for phone in phones if phone)
