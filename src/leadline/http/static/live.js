// Reads the page again when the server says that something of the run changed. Without it: a link to reload.
"use strict";
const live = document.getElementById("live");
if (live && live.dataset.events) {
  const told = document.getElementById("live-told");
  const source = new EventSource(live.dataset.events);
  let busy = false;
  let shown = live.innerHTML;
  const again = async () => {
    if (busy) return;
    busy = true;
    try {
      const text = await (await fetch(location.pathname, {headers: {accept: "text/html"}})).text();
      const found = new DOMParser().parseFromString(text, "text/html").getElementById("live");
      // An equal page stays as it is: whoever reads it or stands in it by keyboard is not disturbed.
      if (!found || found.innerHTML === shown) return;
      shown = found.innerHTML;
      const open = [...live.querySelectorAll("details[open]")].map((one) => one.parentElement.getAttribute("aria-labelledby"));
      live.replaceChildren(...found.childNodes);
      for (const one of live.querySelectorAll("details")) {
        if (open.includes(one.parentElement.getAttribute("aria-labelledby"))) one.open = true;
      }
      const now = live.querySelector('label[for="done"]');
      told.textContent = now ? now.textContent : "";
    } finally {
      busy = false;
    }
  };
  source.addEventListener("run", again);
  source.addEventListener("end", () => { source.close(); again(); });
  addEventListener("pagehide", () => source.close());
}
