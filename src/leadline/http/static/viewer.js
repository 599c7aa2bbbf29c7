// Memory in place of the storage that a sandboxed page does not have. It is gone with the page.
"use strict";
for (const name of ["localStorage", "sessionStorage"]) {
  const kept = new Map();
  Object.defineProperty(window, name, {
    value: {
      getItem: (key) => (kept.has(key) ? kept.get(key) : null),
      setItem: (key, value) => { kept.set(key, String(value)); },
      removeItem: (key) => { kept.delete(key); },
      clear: () => { kept.clear(); },
      key: (at) => [...kept.keys()][at] ?? null,
      get length() { return kept.size; },
    },
  });
}
