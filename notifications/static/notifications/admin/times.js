/** Times in the reader's own time zone: those that the page shows, and those that the reader types. */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const words = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
  dateStyle: "full",
  timeStyle: "short",
});

for (const element of document.querySelectorAll(".carillon time[datetime], time.carillon-time")) {
  element.textContent = `${words.format(new Date(element.dateTime))} (${zone})`;
}

const field = document.querySelector(".carillon input[name=timezone]");
if (field && zone) {
  const typed = field.value; // a form that comes back holds what the reader typed, in the zone that is named with it
  for (const input of document.querySelectorAll(".carillon input[type=datetime-local]")) {
    if (input.dataset.at) input.value = local(new Date(input.dataset.at));
  }
  if (typed !== zone) field.value = zone;
  for (const note of document.querySelectorAll("[data-zone]")) note.textContent = note.textContent.replace(typed, zone);
}

/** Write a moment as `<input type="datetime-local">` holds it. */
function local(moment) {
  return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
