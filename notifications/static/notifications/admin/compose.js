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
  tabs([...form.querySelectorAll(".carillon-language")], render);
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
  const { language } = form.querySelector(".carillon-language:not([hidden])")?.dataset ?? {};
  const said = (name) => value(`${name}_${language}`) || value(name);
  return {
    title: said("title") || previews.dataset.untitled,
    body: said("body"),
    category: value("category"),
    level: value("level") || "info",
  };
}

/** Show one language at a time, the first with a mistake at first; without a script all stand below each other. */
function tabs(panels, changed) {
  if (panels.length < 2) return;
  const list = document.createElement("div");
  list.className = "carillon-tabs";
  list.setAttribute("role", "tablist");
  const made = panels.map((panel, index) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.lang = panel.dataset.language;
    tab.textContent = panel.dataset.name;
    tab.setAttribute("role", "tab");
    tab.id = `carillon-tab-${panel.dataset.language}`;
    tab.toggleAttribute("data-problem", !!panel.querySelector(".errors"));
    panel.id = `carillon-language-${panel.dataset.language}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.setAttribute("aria-controls", panel.id);
    tab.addEventListener("click", () => choose(index));
    return tab;
  });
  const choose = (chosen) => {
    for (const [index, tab] of made.entries()) {
      tab.ariaSelected = `${index === chosen}`;
      tab.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    }
    changed();
  };
  list.addEventListener("keydown", ({ key }) => {
    const forward = getComputedStyle(list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    const step = key === forward ? 1 : made.length - 1;
    const next = (made.indexOf(document.activeElement) + step) % made.length;
    choose(next);
    made[next].focus();
  });
  list.append(...made);
  panels[0].before(list);
  choose(
    Math.max(
      0,
      panels.findIndex((panel) => panel.querySelector(".errors")),
    ),
  );
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
