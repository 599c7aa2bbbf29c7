// Checks a signed head, the proof of an act, and that one head continues another, in the reader's browser.
// RFC 6962 hashing, C2SP signed-note, tlog-checkpoint and tlog-proof; WebCrypto does the arithmetic.
"use strict";
(() => {
  const bytes = (text) => new TextEncoder().encode(text);
  const joined = (...parts) => {
    const out = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const one of parts) { out.set(one, at); at += one.length; }
    return out;
  };
  const unbase64 = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (one) => parseInt(one, 16));
  const hex = (data) => [...data].map((one) => one.toString(16).padStart(2, "0")).join("");
  const same = (left, right) => hex(left) === hex(right);
  const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const leaf = (entry) => sha256(joined([0], entry));
  const node = (left, right) => sha256(joined([1], left, right));
  const bits = (value) => value.toString(2).replace(/^0+/, "").length;

  const climb = async (seed, index, path, inner) => {
    let answer = seed;
    for (let step = 0; step < path.length; step++) {
      const left = step >= inner || (index >> BigInt(step)) & 1n;
      answer = left ? await node(path[step], answer) : await node(answer, path[step]);
    }
    return answer;
  };
  const lengths = (index, size) => {
    const inner = bits(index ^ (size - 1n));
    return [inner, (index >> BigInt(inner)).toString(2).replaceAll("0", "").length];
  };
  const includes = async (index, size, hash, path, root) => {
    if (index < 0n || index >= size) return false;
    const [inner, outer] = lengths(index, size);
    return path.length === inner + outer && same(await climb(hash, index, path, inner), root);
  };
  const continues = async (old, size, path, oldRoot, newRoot) => {
    if (old < 1n || old > size) return false;
    if (old === size) return path.length === 0 && same(oldRoot, newRoot);
    const height = bits(old & -old) - 1;
    let [inner, outer] = lengths(old - 1n, size);
    inner -= height;
    const perfect = old === 1n << BigInt(height);
    if (path.length !== inner + outer + (perfect ? 0 : 1)) return false;
    const seed = perfect ? oldRoot : path[0];
    const rest = perfect ? path : path.slice(1);
    const position = (old - 1n) >> BigInt(height);
    const lefts = rest.filter((_, at) => at >= inner || (position >> BigInt(at)) & 1n);
    return same(await climb(seed, -1n, lefts, 0), oldRoot)
      && same(await climb(seed, position, rest, inner), newRoot);
  };

  const parseNote = (text) => {
    const at = text.lastIndexOf("\n\n");
    if (at < 0) throw new Error("this is no signed head: an empty line and signatures are due");
    const lines = text.slice(at + 2).trimEnd().split("\n");
    const signatures = lines.filter((one) => one.startsWith("\u2014 ")).map((one) => {
      const [name, data] = one.slice(2).split(" ");
      return {name, data: unbase64(data)};
    });
    const body = text.slice(0, at + 1);
    const [origin, size, root] = body.split("\n");
    if (!/^(0|[1-9][0-9]*)$/.test(size || "")) throw new Error("this is no signed head: a size is due");
    return {body, origin, size: BigInt(size), root: unbase64(root), signatures};
  };
  // Answers a sentence and whether it is good; an algorithm that the browser lacks is said, never passed over.
  const signed = async (note, keys) => {
    for (const line of keys.split("\n").map((one) => one.trim()).filter(Boolean)) {
      const [name, id, material] = [line.split("+")[0], line.split("+")[1], line.split("+").slice(2).join("+")];
      const key = unbase64(material || "");
      if (name !== note.origin || key[0] !== 1) continue;
      const due = (await sha256(joined(bytes(name + "\n"), key))).slice(0, 4);
      if (hex(due) !== id) return [false, "The key " + name + " does not have the id that stands with it."];
      const found = note.signatures.find((one) => one.name === name && same(one.data.slice(0, 4), due));
      if (!found) continue;
      let known;
      try { known = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]); } catch {
        return [null, "This browser has no Ed25519, so the signature is not checked here. Use the command."];
      }
      const good = await crypto.subtle.verify("Ed25519", known, found.data.slice(4), bytes(note.body));
      return [good, good ? "The head is signed by " + name + " (Ed25519, key " + id + ")."
        : "The signature under the head is not by " + name + "."];
    }
    return [false, "None of these keys has signed this head."];
  };

  const list = (place) => {
    const out = place.querySelector('[role="status"] ol');
    out.replaceChildren();
    let good = true;
    return {
      say: (holds, words) => {
        const item = document.createElement("li");
        const state = holds === null ? "Not checked" : holds ? "Holds" : "Does not hold";
        const mark = document.createElement("strong");
        mark.textContent = state + ": ";
        item.append(mark, words);
        out.append(item);
        if (holds !== true) good = false;
        return holds;
      },
      end: (words) => {
        const item = document.createElement("li");
        item.textContent = good ? words : "Not everything holds. Keep the files, and tell the operator and your auditor.";
        item.dataset.done = good ? "yes" : "no";
        out.append(item);
      },
    };
  };
  const text = async (path) => {
    const answer = await fetch(path, {credentials: "same-origin"});
    if (!answer.ok) throw new Error(path + " answers " + answer.status);
    return answer.text();
  };
  const careful = (place, work) => async (event) => {
    if (event) event.preventDefault();
    const told = list(place);
    try { await work(told); } catch (error) { told.say(false, "It could not be read: " + error.message); told.end(""); }
  };
  const serverKeys = () => document.getElementById("trusted-keys").dataset.keys;

  const act = (place) => async (told) => {
    const [proof, opened] = await Promise.all([text(place.dataset.proof), text(place.dataset.opening)]);
    const opening = JSON.parse(opened);
    // The opening is canonical: its last member is the record, byte for byte as it was committed to.
    const record = opened.slice(opened.indexOf('"record":') + 9, opened.lastIndexOf("}"));
    const mac = await crypto.subtle.importKey("raw", unhex(opening.blinder), {name: "HMAC", hash: "SHA-256"}, false, ["sign"]);
    const data = joined(bytes("leadline/act/v1\0"), bytes(record));
    const commitment = new Uint8Array(await crypto.subtle.sign("HMAC", mac, data));
    const entry = await leaf(joined([1], commitment));
    told.say(true, "Record and blinder give the entry " + hex(entry).slice(0, 16) + "\u2026");
    const shown = JSON.parse(document.getElementById("record").textContent);
    told.say(JSON.stringify(shown) === JSON.stringify(JSON.parse(record)), "The record below is the one that was committed to.");
    const at = proof.indexOf("\n\n");
    const [header, ...lines] = proof.slice(0, at).split("\n");
    told.say(header === "c2sp.org/tlog-proof@v1", "The proof has the form " + header + ".");
    const place_ = lines.find((one) => one.startsWith("index ")).slice(6);
    const hashes = lines.filter((one) => !one.includes(" ")).map(unbase64);
    told.say(place_ === String(opening.index), "It is about entry " + place_ + ", where the record is said to stand.");
    const note = parseNote(proof.slice(at + 2));
    told.say(await includes(BigInt(place_), note.size, entry, hashes, note.root),
      "Through " + hashes.length + " hashes the entry leads to the root of " + note.size + " entries.");
    told.say(...await signed(note, document.getElementById("own-keys").value));
    told.end("This act stands in the log of " + note.origin + ", exactly as shown on this page.");
  };
  const head = () => async (told) => {
    const note = parseNote(await text("/log/checkpoint"));
    told.say(...await signed(note, serverKeys()));
    told.end("The head of " + note.size + " entries is the one that this log signed.");
  };
  const later = (place) => async (told) => {
    const old = parseNote(document.getElementById("old-head").value.replaceAll("\r", "").trim() + "\n");
    const now = parseNote(await text("/log/checkpoint"));
    told.say(old.origin === now.origin, "Both heads are of " + now.origin + ".");
    told.say(...await signed(old, serverKeys()));
    told.say(...await signed(now, serverKeys()));
    const answer = JSON.parse(await text(place.dataset.continues + "?old=" + old.size + "&new=" + now.size));
    told.say(await continues(old.size, now.size, answer.hashes.map(unhex), old.root, now.root),
      "The log of " + now.size + " entries begins with the " + old.size + " that you kept.");
    told.end("Nothing that you kept was changed or taken out.");
  };

  for (const place of document.querySelectorAll("[data-verify]")) {
    const run = careful(place, place.dataset.verify === "act" ? act(place) : head(place));
    const button = place.querySelector("button");
    if (button) button.addEventListener("click", run);
    run();
  }
  for (const place of document.querySelectorAll("[data-continues]")) {
    place.addEventListener("submit", careful(place, later(place)));
  }
})();
