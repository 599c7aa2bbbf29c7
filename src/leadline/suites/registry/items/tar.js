/* Unpack an archive of others into the folder /tmp/unpack/inside. Input: the archive, in the form of tar.
 *
 * The flaw is reached when a file appears in /tmp/unpack beside that folder.
 */
"use strict";

const fs = require("node:fs");
const tar = require("tar");

const ROOT = "/tmp/unpack";

exports.oneInput = (data) => {
  fs.rmSync(ROOT, { recursive: true, force: true });
  fs.mkdirSync(`${ROOT}/inside`, { recursive: true });
  fs.writeFileSync(`${ROOT}.tar`, data);
  tar.extract({ file: `${ROOT}.tar`, cwd: `${ROOT}/inside`, sync: true });
  return fs.readdirSync(ROOT).length > 1;
};
