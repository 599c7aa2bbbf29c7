/* Fetch from an address that came from outside, unless it is an internal one.
 *
 * Input: the address, four numbers with dots. What the library counts among the internal blocks is
 * refused. The flaw is reached when the service on this machine's own address is reached all the same.
 */
"use strict";

const http = require("node:http");
const { once } = require("node:events");
const { Netmask } = require("netmask");

const BLOCKS = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "0.0.0.0/8"].map((one) => new Netmask(one));
const DOTTED = /^[0-9a-fx]{1,6}(\.[0-9a-fx]{1,6}){3}$/i;
let reached = false;

const internal = http.createServer((request, response) => {
  reached = true;
  response.end("internal");
});

const listening = once(internal.listen(0, "127.0.0.1"), "listening");

exports.oneInput = async (data) => {
  const address = data.toString("latin1");
  if (!DOTTED.test(address) || BLOCKS.some((block) => block.contains(address))) return false;
  await listening;
  reached = false;
  const request = http.get(`http://${address}:${internal.address().port}/`, { agent: false, timeout: 1000 });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  try {
    const [answer] = await once(request, "response");
    answer.resume();
  } catch {
    // An address outside cannot be reached from here.
  }
  return reached;
};
