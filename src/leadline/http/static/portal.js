// Signs an act or a sign-in with a passkey: the one thing a page cannot do without a script.
"use strict";
document.documentElement.classList.add("ll-scripted");

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    if (event.submitter && event.submitter.name === "_elsewhere") return;
    const answer = form.elements["_answer"];
    if (answer.value) return;
    event.preventDefault();
    const told = form.querySelector('[role="status"]');
    try {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.passkey));
      answer.value = JSON.stringify((await navigator.credentials.get({publicKey})).toJSON());
      form.submit();
    } catch (error) {
      const why = error.name === "NotAllowedError" ? "no passkey answered" : error.message;
      told.textContent = "Not signed: " + why + ". Nothing was done; try again, or sign elsewhere.";
    }
  });
}

const fault = document.getElementById("fault");
if (fault) fault.focus();
