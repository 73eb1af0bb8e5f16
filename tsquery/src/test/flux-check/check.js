// Fails unless InfluxData's parser and type checker accept each text of some folders, each of which has some:
//   name.flux    syntax, names and types; where there is a name.flux.before, only if that one is accepted
//   name.syntax  syntax alone, whatever stands in regular expressions; where there is a name.syntax.literals, a JSON list, the
//                text's literals of texts are those, in that order
'use strict';
const fs = require('fs');
const path = require('path');
const { Flux, Lsp } = require('@influxdata/flux-lsp-node');

const folders = process.argv.slice(2);
const read = (name) => fs.readFileSync(name, 'utf8');

function accepted(text) {
  const flux = new Flux(text);
  const valid = flux.is_valid();
  flux.free();
  return valid;
}

function syntaxErrors(node, line, found) {
  if (node && typeof node === 'object') {
    const at = node.location ? node.location.start.line : line;
    (node.errors || [])
      .map((error) => error.msg || JSON.stringify(error))
      .filter((message) => !message.startsWith('regex parse error'))
      .forEach((message) => found.push({ line: at, message }));
    if (node.type === 'BadStatement') found.push({ line: at, message: `not a statement: ${node.text}` });
    Object.values(node).forEach((child) => syntaxErrors(child, at, found));
  }
  return found;
}

function parsed(text) {
  const flux = new Flux(text);
  const found = syntaxErrors(flux.ast(), 1, []);
  flux.free();
  return found;
}

/** Literals of texts, in the order in which they stand. */
function literals(text) {
  const found = [];
  const collect = (node) => {
    if (!node || typeof node !== 'object') return;
    if (node.type === 'StringLiteral') found.push({ ...node.location.start, value: node.value });
    Object.values(node).forEach(collect);
  };
  const flux = new Flux(text);
  collect(flux.ast());
  flux.free();
  return found.sort((a, b) => a.line - b.line || a.column - b.column).map((each) => each.value);
}

function misread(name) {
  const expected = JSON.parse(read(`${name}.literals`));
  const found = literals(read(name));
  const at = expected.findIndex((value, i) => value !== found[i]);
  return at < 0 && found.length === expected.length
    ? []
    : [{ line: 1, message: `${found.length} literals of texts, not ${expected.length}; the first other one is ${at}: ${JSON.stringify(found[at])}` }];
}

/** What is wrong with the texts that are not accepted, as the language server tells it. */
async function diagnosed(names) {
  const found = new Map(names.map((name) => [name, []]));
  const lsp = new Lsp();
  lsp.onMessage((message) => {
    const { method, params } = JSON.parse(message);
    if (method === 'textDocument/publishDiagnostics') {
      params.diagnostics.forEach((each) =>
        found.get(decodeURIComponent(path.posix.basename(path.posix.dirname(params.uri)))).push({ line: each.range.start.line + 1, message: each.message }));
    }
  });
  lsp.run();
  const send = (content) => lsp.send(JSON.stringify({ jsonrpc: '2.0', ...content }));
  await send({ id: 1, method: 'initialize', params: { capabilities: {} } });
  for (const name of names) {
    // A folder each: the server takes the files of one for one package.
    const uri = `file:///${encodeURIComponent(name)}/text.flux`;
    const textDocument = { uri, languageId: 'flux', version: 1, text: read(name) };
    await send({ method: 'textDocument/didOpen', params: { textDocument } });
  }
  return found;
}

async function main() {
  const names = [];
  const texts = [];
  for (const folder of folders) {
    const files = fs.existsSync(folder) ? fs.readdirSync(folder).sort().map((name) => path.join(folder, name)) : [];
    const found = files.filter((name) => /\.(flux|syntax)$/.test(name));
    if (found.length === 0) throw new Error(`no text was found in ${folder}`);
    names.push(...files);
    texts.push(...found);
  }
  const wrong = new Map();
  const refused = [];
  let as = 0;
  for (const name of texts) {
    if (name.endsWith('.syntax')) {
      const errors = parsed(read(name));
      if (names.includes(`${name}.literals`)) errors.push(...misread(name));
      if (errors.length > 0) wrong.set(name, errors);
    } else if (!accepted(read(name))) {
      const before = `${name}.before`;
      if (names.includes(before) && !accepted(read(before))) as++;
      else refused.push(name);
    }
  }
  if (refused.length > 0) (await diagnosed(refused)).forEach((errors, name) => wrong.set(name, errors));
  if (wrong.size === 0) {
    console.log(`flux-check: ${texts.length} texts, ${texts.length - as} accepted, ${as} made from texts that are not`);
    process.exit(0);
  }
  wrong.forEach((errors, name) => {
    if (errors.length === 0) console.error(`${name}:1: not accepted`);
    errors.forEach((each) => console.error(`${name}:${each.line}: ${each.message}`));
  });
  console.error(`flux-check: ${wrong.size} of ${texts.length} texts are not accepted`);
  process.exit(1);
}

main().catch((error) => {
  console.error(`flux-check: ${error.message || error}`);
  process.exit(1);
});
