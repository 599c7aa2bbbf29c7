// Asks the browser for a passkey: to sign in, or to make a new one. A challenge comes from the API; what
// the browser answers goes into the form, which is then sent as any other form is.
"use strict";

async function challenged(form) {
  const headers = {"X-CSRF-Token": form.elements["_csrf"].value};
  const answer = await fetch(form.dataset.challenge, {method: "POST", headers});
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

const makes = {
  get: async (options) => navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)}),
  create: async (options) => navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)}),
};

for (const form of document.querySelectorAll("form[data-challenge]")) {
  form.addEventListener("submit", async (event) => {
    if (form.elements["answer"].value) return;
    event.preventDefault();
    const told = form.querySelector('[role="status"]');
    try {
      if (!window.PublicKeyCredential) throw new Error("this browser knows no passkeys");
      const made = await challenged(form);
      const credential = await makes[form.dataset.passkeyDoes](made.options);
      form.elements["challenge"].value = made.challenge;
      form.elements["answer"].value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      told.textContent = "That did not work: " + error.message + ". Nothing was changed; try again, or take another way.";
    }
  });
}
