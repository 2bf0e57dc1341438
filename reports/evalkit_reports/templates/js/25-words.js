// What a search is made of.
const collator = new Intl.Collator("en", { numeric: true });

function errorTexts(error) {
  return error ? [error.type, plainText(error.message), plainText(error.traceback)] : [];
}

// Words must all appear; "words in quotes" stand together.
function wordsOf(text) {
  return [...text.toLowerCase().matchAll(/"([^"]+)"|(\S+)/g)].map((found) => found[1] ?? found[2].replaceAll('"', "")).filter(Boolean);
}
