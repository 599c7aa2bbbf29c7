/* Fetch a path of the program's own service.
 *
 * Input: the path, which must begin with a slash, with the word INTERNAL for the address of another
 * service inside. The flaw is reached when that service is reached, though only a path was given.
 */
"use strict";

const http = require("node:http");
const { once } = require("node:events");
const axios = require("axios");

let reached = false;

const internal = http.createServer((request, response) => {
  reached = true;
  response.end("internal");
});

const listening = once(internal.listen(0, "127.0.0.1"), "listening");

exports.oneInput = async (data) => {
  await listening;
  reached = false;
  const place = data.toString("latin1");
  if (!place.startsWith("/")) throw new Error("no path");
  try {
    await axios.get(place.replaceAll("INTERNAL", `127.0.0.1:${internal.address().port}`), { proxy: false, timeout: 2000 });
  } catch {
    // Nothing listens at the own service's place: an ordinary end.
  }
  return reached;
};
