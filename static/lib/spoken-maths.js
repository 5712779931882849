/** How a formula sounds: `\frac{2}{4}` is "two quarters", `x^2` is "x squared". */

const ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
  "twenty"];
const PARTS = { 2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth",
  9: "ninth", 10: "tenth", 12: "twelfth", 20: "twentieth", 100: "hundredth", 1000: "thousandth" };

const ENGLISH = {
  fraction(top, bottom) {
    const part = PARTS[bottom];
    if (!part || !/^\d+$/.test(top)) return `${top}${top.includes(" ") ? ", all" : ""} over ${bottom}`;
    const many = top === "1" ? part : part === "half" ? "halves" : `${part}s`;
    return `${ONES[top] ?? top} ${many}`;
  },
  power: (base, exponent) =>
    exponent === "2" ? `${base} squared` : exponent === "3" ? `${base} cubed`
      : `${base} to the power of ${exponent}`,
  index: (base, index) => `${base} sub ${index}`,
  root: (inside, degree) => degree ? `root ${degree} of ${inside}` : `the square root of ${inside}`,
  signs: { "=": "equals", "+": "plus", "-": "minus", "−": "minus", "/": "over", "<": "is less than",
    ">": "is greater than", "\\times": "times", "\\cdot": "times", "\\div": "divided by", "\\pm": "plus or minus",
    "\\leq": "is at most", "\\le": "is at most", "\\geq": "is at least", "\\ge": "is at least",
    "\\neq": "is not equal to", "\\ne": "is not equal to", "\\approx": "is about", "\\to": "becomes",
    "\\rightarrow": "becomes", "\\pi": "pi", "\\theta": "theta", "\\alpha": "alpha", "\\beta": "beta",
    "\\infty": "infinity", "\\%": "percent", "%": "percent", "\\circ": "degrees", "(": "open bracket",
    ")": "close bracket", "\\ldots": "and so on", "\\dots": "and so on" },
};

const SPANISH = {
  ...ENGLISH,
  fraction: (top, bottom) => `${top} sobre ${bottom}`,
  power: (base, exponent) => exponent === "2" ? `${base} al cuadrado` : `${base} elevado a ${exponent}`,
  index: (base, index) => `${base} sub ${index}`,
  root: (inside) => `la raíz de ${inside}`,
  signs: { ...ENGLISH.signs, "=": "es igual a", "+": "más", "-": "menos", "−": "menos", "/": "sobre",
    "<": "es menor que", ">": "es mayor que", "\\times": "por", "\\cdot": "por", "\\div": "entre",
    "\\leq": "es como máximo", "\\geq": "es como mínimo", "\\neq": "no es igual a", "\\approx": "es aproximadamente",
    "(": "abre paréntesis", ")": "cierra paréntesis", "%": "por ciento", "\\%": "por ciento" },
};

const TOKEN = /\\[a-zA-Z]+|\\.|\d+(?:[.,]\d+)*|[a-zA-Z]|\S/g;

/** The words for `tex`; in a language we have no words for, the signs as they are written. */
export function spokenMaths(tex, language = "en") {
  const words = language.startsWith("es") ? SPANISH : ENGLISH;
  const tokens = tex.match(TOKEN) ?? [];
  return new Reader(tokens, words).all().replace(/\s+/g, " ").trim();
}

class Reader {
  #at = 0;

  constructor(tokens, words) {
    this.tokens = tokens;
    this.words = words;
  }

  all(until = null) {
    const said = [];
    while (this.#at < this.tokens.length && this.tokens[this.#at] !== until) {
      let one = this.#one();
      for (let sign = this.tokens[this.#at]; sign === "^" || sign === "_"; sign = this.tokens[this.#at]) {
        this.#at += 1;
        const script = this.#one();
        one = sign === "^" && script !== "degrees" ? this.words.power(one, script)
          : sign === "^" ? `${one} degrees` : this.words.index(one, script);
      }
      if (one) said.push(one);
    }
    this.#at += 1;
    return said.join(" ");
  }

  #one() {
    const token = this.tokens[this.#at++];
    if (token === undefined) return "";
    if (token === "{") return this.all("}");
    if (/^\\[td]?frac$/.test(token)) return this.words.fraction(this.#one(), this.#one());
    if (token === "\\sqrt") return this.#root();
    if (/^\\(text|mathrm|mathbf|operatorname|boxed)$/.test(token)) return this.#one();
    if (token in this.words.signs) return this.words.signs[token];
    return /^\\(left|right|quad|qquad|displaystyle|[,;:! ])$/.test(token) ? "" : token.replace(/^\\/, "");
  }

  #root() {
    if (this.tokens[this.#at] !== "[") return this.words.root(this.#one());
    this.#at += 1;
    const degree = this.all("]");
    return this.words.root(this.#one(), degree);
  }
}
