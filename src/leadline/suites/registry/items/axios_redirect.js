/* Fetch a page through a proxy, which alone may connect to other hosts.
 *
 * Input: where the page redirects to, with the word INTERNAL for the address of a service inside. The
 * proxy never forwards to it. The flaw is reached when that service is reached all the same.
 */
"use strict";

const http = require("node:http");
const { once } = require("node:events");
const axios = require("axios");

let reached = false;
let place = "";
let asked = 0;

const internal = http.createServer((request, response) => {
  reached = true;
  response.end("internal");
});

const proxy = http.createServer((request, response) => {
  asked += 1;
  response.shouldKeepAlive = false;
  if (asked === 1) response.writeHead(302, { Location: place });
  response.end("from the proxy");
});
const listening = Promise.all([internal, proxy].map((one) => once(one.listen(0, "127.0.0.1"), "listening")));

exports.oneInput = async (data) => {
  await listening;
  reached = false;
  asked = 0;
  place = data.toString("latin1").replaceAll("INTERNAL", `127.0.0.1:${internal.address().port}`);
  const through = { host: "127.0.0.1", port: proxy.address().port };
  try {
    await axios.get("http://pump.example/", { proxy: through, timeout: 2000, maxRedirects: 3 });
  } catch {
    // A refused redirect is an ordinary end.
  }
  return reached;
};
