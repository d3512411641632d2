// Turns the output of wasm-bindgen and the split tool, the style sheets and the public files into the folder that the server embeds.
//
//   node pack-site.mjs <folder of both outputs> <site folder>
//
// Writes each file with its `.br` and `.gz` beside it, and `manifest.json`, which names them all. Files under `/pkg/`
// carry a hash of their content in their name, so that browsers may keep them for ever. Fails when the WebAssembly that one page
// needs has grown past its limit.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const WASM_GZIP_AIM = 250_000;
const WASM_GZIP_LIMIT = 400_000;

const CONTENT_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const ALREADY_COMPRESSED = new Set(['.png', '.woff2']);

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [bound, site] = process.argv.slice(2);
const files = [];

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

// gzip itself compresses a fiftieth better than Node.js does at its best. Without name and time, so that it is the same each time.
const gzip = (bytes) => execFileSync('gzip', ['-9', '--no-name'], { input: bytes, maxBuffer: bytes.length + 1024 });

/** Paths of all files under `folder`, relative to it, in a fixed order. */
function walk(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** Writes one file and those of its compressed forms that are smaller. */
function write(path, bytes, immutable) {
  const extension = extname(path);
  const type = CONTENT_TYPES[extension];
  if (!type) throw new Error(`${path}: add the content type of "${extension}" to scripts/pack-site.mjs`);
  const target = join(site, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);

  const file = { path, type, immutable, sha256: sha256(bytes), size: bytes.length, br: null, gzip: null };
  const forms = ALREADY_COMPRESSED.has(extension) ? {} : { br: ['.br', brotli], gzip: ['.gz', gzip] };
  for (const [name, [suffix, compress]] of Object.entries(forms)) {
    const compressed = compress(bytes);
    if (compressed.length >= bytes.length) continue;
    writeFileSync(target + suffix, compressed);
    file[name] = compressed.length;
  }
  files.push(file);
  return file;
}

/** Writes a file under /pkg/ by a name that changes with its content; returns its URL path. */
function writeHashed(name, bytes) {
  const extension = extname(name);
  const hash = sha256(bytes).slice(0, 16);
  return `/${write(`pkg/${name.slice(0, -extension.length)}.${hash}${extension}`, bytes, true).path}`;
}

/**
 * Puts every `@import "file.css" layer(name);` of a style sheet in its place, so that the browser asks once.
 * Only our own relative files are imported; the order of the lines is the order of the rules.
 */
function bundleCss(path, seen = new Set()) {
  if (seen.has(path)) throw new Error(`${path}: imported twice`);
  seen.add(path);
  const importLine = /^@import\s+(?:url\()?["']([^"']+)["']\)?(?:\s+layer\(([\w.-]+)\))?\s*;[ \t]*$/gm;
  return readFileSync(path, 'utf8').replace(importLine, (_, file, layer) => {
    const css = bundleCss(join(dirname(path), file), seen).trim();
    return layer ? `@layer ${layer} {\n${css}\n}` : css;
  });
}

/** wasm-bindgen's snippets are imported by relative path and keep it; their folder's name is not a hash of their content. */
function refuseSnippets() {
  const snippets = walk(join(bound, 'snippets'));
  if (snippets.length > 0) {
    throw new Error(`a crate brings inline JavaScript, which the packer cannot name by its hash yet: ${snippets.join(', ')}`);
  }
}

/**
 * Writes the chunks, and the one script that loads them all. The glue and the loader come as two modules that import each
 * other, so that neither could be named by its content; here the loader is put into the glue, and names the written chunks.
 */
function writeScript() {
  const glue = readFileSync(join(bound, 'orgtrail.js'), 'utf8');
  const loader = readFileSync(join(bound, '__wasm_split.js'), 'utf8');
  const written = {};
  const own = replaced(loader, /^import \{ initSync \} from "\.\/orgtrail\.js";$/m, '');
  const named = replaced(own, /"\.\/(\w+\.wasm)"/g, (_, file) => {
    written[file] ??= writeHashed(`orgtrail.${file}`, readFileSync(join(bound, file)));
    return JSON.stringify(`./${basename(written[file])}`);
  });
  const loads = [...named.matchAll(/^export (const (__wasm_split_load_\w+) = .*)$/gm)].map(([, , load]) => load);
  const body = replaced(named, /^export (?=const )/gm, '');
  const rest = replaced(glue, /^import \* as (\w+) from "\.\/__wasm_split\.js";?$/gm, 'const $1 = loader;');
  if (/^\s*(import|export)\s.*from\s/m.test(body + rest)) throw new Error('the script imports what the packer does not know');
  const script = `const loader = (() => {\n${body}\nreturn { ${loads.join(', ')} };\n})();\n${rest}`;
  return { js: writeHashed('orgtrail.js', Buffer.from(script)), chunks: chunksOf(loader, written) };
}

/** `text.replace(pattern, by)`, where the tools still write what the pattern expects. */
function replaced(text, pattern, by) {
  if (text.search(pattern) < 0) throw new Error(`nothing matches ${pattern}: has a tool changed what it writes?`);
  return text.replace(pattern, by);
}

/** By the name of a chunk, the URL paths of its files: what it shares with others, and what it has for itself. */
function chunksOf(loader, written) {
  const load = /^(?:export )?const (\w+) = (?:wrapAsyncCb\()?makeLoad\(([^]*?), \[(.*)\]\)\)?;$/gm;
  const url = (fetcher) => [...fetcher.matchAll(/"\.\/(\w+\.wasm)"/g)].map(([, file]) => written[file]);
  const shared = {};
  const chunks = {};
  for (const [, name, fetcher, needs] of loader.matchAll(load)) {
    const urls = [...needs.split(', ').filter(Boolean).flatMap((need) => shared[need]), ...url(fetcher)];
    const chunk = name.match(/^__wasm_split_load_(\w+)$/)?.[1];
    if (chunk) chunks[chunk] = urls;
    else shared[name] = urls;
  }
  return chunks;
}

function report() {
  for (const { path, size, br, gzip } of files) {
    const form = (bytes) => String(bytes ?? '-').padStart(9);
    console.log(`${form(size)} raw ${form(gzip)} gzip ${form(br)} brotli  ${path}`);
  }
}

/** What a page needs before it does more than links and forms: the main file, and all of its chunk. */
function checkWasmSize({ wasm, chunks }) {
  const size = (url) => files.find(({ path }) => `/${path}` === url).gzip;
  const needed = ([name, urls]) => ({ name, bytes: [wasm, ...urls].reduce((sum, url) => sum + size(url), 0) });
  for (const { name, bytes } of [['none', []], ...Object.entries(chunks)].map(needed)) {
    const note = bytes > WASM_GZIP_AIM ? `, above the aim of ${WASM_GZIP_AIM}` : '';
    console.log(`${bytes} bytes of WebAssembly with gzip for a page of the chunk ${name}${note}`);
    if (bytes > WASM_GZIP_LIMIT) throw new Error(`a page of the chunk ${name} is above the limit of ${WASM_GZIP_LIMIT}`);
  }
}

function main() {
  refuseSnippets();
  const style = join(root, 'style', 'main.css');
  const names = {
    css: existsSync(style) ? writeHashed('orgtrail.css', Buffer.from(bundleCss(style))) : null,
    wasm: writeHashed('orgtrail.wasm', readFileSync(join(bound, 'orgtrail_bg.wasm'))),
    ...writeScript(),
  };
  for (const path of walk(join(root, 'public'))) write(path, readFileSync(join(root, 'public', path)), false);
  writeFileSync(join(site, 'manifest.json'), `${JSON.stringify({ ...names, files }, null, 2)}\n`);
  report();
  checkWasmSize(names);
}

main();
