// What the elements of the page do not do: a list of lines, and a price's colour by the way it went.
const { feeds } = await import(document.querySelector("script[src*='notifications/feeds']").src);

const LINES = 200; // that stay on the page
const journal = document.querySelector("[data-journal]");
if (journal) {
  const add = ({ data }) => {
    const line = document.createElement("p");
    line.dir = "auto";
    line.className = data.level;
    line.textContent = data.text;
    journal.append(line);
    while (journal.childElementCount > LINES) journal.firstElementChild.remove();
    journal.scrollTop = journal.scrollHeight;
  };
  const onReset = (events) => {
    journal.replaceChildren();
    events.forEach(add);
  };
  feeds().follow("journal", { onReset, onEvent: add });
}

const rows = new Map([...document.querySelectorAll("[data-symbol]")].map((row) => [row.dataset.symbol, row]));
const known = new Map();
feeds().follow("prices", {
  onReset: (events) => {
    for (const { key, data } of events) known.set(key, data.price);
  },
  onEvent: ({ key, data }) => {
    const row = rows.get(key);
    if (row && known.has(key)) row.dataset.trend = data.price < known.get(key) ? "down" : "up";
    known.set(key, data.price);
  },
});
