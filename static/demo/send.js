// Sends the home page's forms without leaving the page; without this script they are plain forms.
const answer = document.querySelector("[data-answer]");

for (const form of document.querySelectorAll("form[data-send]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      answer.textContent = response.ok ? "" : await response.text();
      if (response.ok && "clear" in form.dataset) form.reset();
    } catch {
      answer.textContent = answer.dataset.failed;
    }
  });
}
