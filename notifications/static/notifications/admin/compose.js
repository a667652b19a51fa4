/** Composing a broadcast: a preview of what people will see, and how many of them there are. */

const WAIT = 300; // ms without a keystroke before the audience is counted

const form = document.querySelector(".carillon-compose form");
const previews = document.querySelector(".carillon-previews");

if (form && previews) {
  const shown = [...previews.querySelectorAll(".carillon-preview")].map(open);
  const render = () => {
    for (const root of shown) fill(root, content());
  };
  previews.hidden = false;
  form.addEventListener("input", render);
  render();
}

// jQuery calls back in the order in which it was asked, so the admin's autocompletion is there by then.
globalThis.django?.jQuery?.(nameSearchFields);

if (form?.dataset.countUrl) count(form.dataset.countUrl, form.querySelector("[data-count]"));

/** Make a shadow tree with the elements' own style sheet, in the theme that the host names. */
function open(host) {
  const root = host.attachShadow({ mode: "open" });
  for (const address of previews.dataset.sheets.split(" ")) {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = address;
    root.append(sheet);
  }
  host.setAttribute("theme", host.dataset.theme);
  root.append(document.getElementById("carillon-preview").content.cloneNode(true));
  return root;
}

/** What the form says now; on a page without fields, what the broadcast says. */
function content() {
  const typed = new FormData(form);
  const value = (name) => (typed.has(name) ? String(typed.get(name)) : (previews.dataset[name] ?? "")).trim();
  return {
    title: value("title") || previews.dataset.untitled,
    body: value("body"),
    category: value("category"),
    level: value("level") || "info",
  };
}

function fill(root, { title, body, category, level }) {
  const icon = document.getElementById("carillon-icons").content.querySelector(`[data-level="${CSS.escape(level)}"]`);
  for (const row of root.querySelectorAll("li")) row.dataset.level = level;
  for (const place of root.querySelectorAll(".level")) place.replaceChildren(icon ? icon.cloneNode(true) : "");
  for (const place of root.querySelectorAll(".title")) place.textContent = title;
  for (const place of root.querySelectorAll(".body")) {
    place.textContent = body;
    place.hidden = !body;
  }
  for (const place of root.querySelectorAll(".meta"))
    place.textContent = [previews.dataset.now, category].filter(Boolean).join(" · ");
}

/** Ask how many people are meant, a moment after each change; an older answer never replaces a newer one. */
function count(url, output) {
  let timer = 0;
  let latest = new AbortController();
  const part = (name) => /^(include|exclude)_/.test(name);

  async function ask() {
    latest.abort();
    latest = new AbortController();
    const body = new FormData();
    for (const [name, value] of new FormData(form))
      if (part(name) || name === "csrfmiddlewaretoken") body.append(name, value);
    if (![...body.keys()].some((name) => name.startsWith("include_") && String(body.get(name)).trim())) {
      output.textContent = "";
      return;
    }
    try {
      const response = await fetch(url, { method: "POST", body, signal: latest.signal, credentials: "same-origin" });
      const { text, number } = await response.json();
      output.textContent = text;
      output.toggleAttribute("data-problem", !number);
    } catch (error) {
      if (error.name !== "AbortError") output.textContent = "";
    }
  }

  function changed({ target }) {
    if (!part(target.name ?? "")) return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  }

  form.addEventListener("input", changed);
  // The admin's autocompletion tells jQuery alone what was chosen.
  globalThis.django?.jQuery?.(form).on("change", "select.admin-autocomplete", changed);
  ask();
}

/** Give the fields that the admin's autocompletion searches with the names of their selects; it leaves them nameless. */
function nameSearchFields() {
  for (const select of form?.querySelectorAll("select.admin-autocomplete") ?? []) {
    const search = select.nextElementSibling?.querySelector(".select2-search__field");
    search?.setAttribute("aria-label", select.labels[0].textContent.replace(/\s+/g, " ").trim());
  }
}
