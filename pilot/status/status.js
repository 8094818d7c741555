/** Fetches the status again every two seconds, and keeps the page as it is while the pilot does not answer. */
const REFRESH_MS = 2000;

setInterval(() => {
  fetch('/status')
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status)))))
    .then((markup) => {
      const main = document.getElementById('status');
      if (main !== null && main.dataset.shown !== markup && !main.contains(document.activeElement)) {
        main.innerHTML = markup;
        main.dataset.shown = markup;
      }
    })
    .catch(() => undefined);
}, REFRESH_MS);
