/** The page of results, kept live by the server's own stream; where it cannot hold one, by asking now and then. */

const POLL = 5_000; // ms

const page = document.querySelector(".carillon-results");
const status = page.querySelector("[data-status]");

function show(name) {
  status.textContent = page.dataset[name];
  status.dataset.status = name;
  status.hidden = false;
}

/** Put what changed where it belongs; words as text, curves as attributes, never markup. */
function apply({ state, text, draw, bars }) {
  if (state !== page.dataset.state) {
    location.reload(); // other actions are possible now
    return;
  }
  for (const [id, words] of Object.entries(text)) {
    const place = document.getElementById(id);
    if (place && place.textContent !== words) place.textContent = words;
  }
  for (const [id, path] of Object.entries(draw)) document.getElementById(id)?.setAttribute("d", path);
  for (const [name, value] of Object.entries(bars))
    document.getElementById(`bar-${name}`)?.setAttribute("value", String(value));
}

async function poll() {
  try {
    const response = await fetch(page.dataset.now, {
      credentials: "same-origin",
      headers: { Accept: "application/json" },
    });
    if (!response.headers.get("Content-Type")?.startsWith("application/json")) throw new Error("signed out");
    apply(await response.json());
    show("polling");
  } catch {
    show("ended");
  }
  setTimeout(poll, POLL);
}

function listen() {
  show("connecting");
  const source = new EventSource(page.dataset.live);
  source.addEventListener("results", (event) => {
    show("open");
    apply(JSON.parse(event.data));
  });
  source.addEventListener("bye", (event) => {
    if (JSON.parse(event.data).retry !== null) return; // the browser comes again by itself
    source.close();
    show("ended");
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return show("lost");
    source.close();
    poll();
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

listen();
