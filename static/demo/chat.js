// Changes between conversations without leaving the page; without this script the list's links are plain links.
const page = document.querySelector("[data-chat]");
const list = page.querySelector("chat-list");
const room = page.querySelector("chat-room");
const address = new URL(location.href);

function show(id) {
  page.toggleAttribute("data-open", Boolean(id));
  for (const [element, name] of [
    [list, "current"],
    [room, "room"],
  ]) {
    if (id) element.setAttribute(name, id);
    else element.removeAttribute(name);
  }
}

const shown = () => /(\d+)\/$/.exec(location.pathname)?.[1];

list.addEventListener("room-select", (event) => {
  event.preventDefault();
  const { room: id } = event.detail;
  if (String(id) !== shown())
    history.pushState(null, "", new URL(list.getAttribute("href").replace("{id}", id), address));
  show(id);
  if (matchMedia("(hover: hover)").matches) room.focus(); // on a phone the keyboard would cover the conversation
});

page.querySelector("[slot=back]").addEventListener("click", (event) => {
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.href);
  show(null);
});

addEventListener("popstate", () => show(shown()));
