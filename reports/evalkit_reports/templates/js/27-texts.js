// What can be searched, in lower case: per case, and per row where a page has it. Filled from the chunks while the
// reader reads; `keepTexts` is the page's own, and `told` hears how far it is.
const texts = { cases: [], rows: [], ready: null, done: false, told: null };

function readTexts() {
  texts.ready ??= (async () => {
    const count = data.chunks.length;
    let next = count ? data.chunk(0) : null;
    for (let index = 0; index < count; index++) {
      const contents = await next;
      if (index + 1 < count) {
        next = data.chunk(index + 1); // is read and unpacked while this one is gone through
        next.catch(() => {}); // the next turn waits for it, and says what went wrong
      }
      contents.forEach((item, offset) => keepTexts(data.chunks[index] + offset, item));
      texts.told?.((index + 1) / count);
      if (!query.words.length) await idle(); // nobody waits for it yet
    }
    texts.done = true;
    document.documentElement.dataset.searchable = "yes";
  })();
  return texts.ready;
}

// Between two chunks the reader comes first.
function idle() {
  return new Promise((resolve) => (globalThis.requestIdleCallback ? requestIdleCallback(resolve, { timeout: 60 }) : setTimeout(resolve)));
}
