// Prints the pages of a checked list, or the overview alone; without it, the print command of the browser does the same.
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => {
    document.body.classList.toggle("ll-overview-alone", button.dataset.print === "overview");
    window.print();
    document.body.classList.remove("ll-overview-alone");
  });
}
