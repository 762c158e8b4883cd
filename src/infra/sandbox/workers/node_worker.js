'use strict';
// Runs one request of user code in a process of its own. The messages are those of
// python_worker.py: a 4-byte little-endian length, then a request in JSON or a reply that starts
// with R (the result's JSON) or E (kind, line and text of a failure).

const fs = require('fs');
const util = require('util');
const vm = require('vm');
const { createRequire } = require('module');
const { Writable } = require('stream');

const kDescriptor = 3;
const kCodeName = 'code.js';
const kErrorTextMax = 8192;
// User code may replace any global; these are the ones the reply needs.
const { parse, stringify } = JSON;
const writeSync = fs.writeSync;
const leave = process.reallyExit.bind(process);

function receive(size) {
    const buffer = Buffer.alloc(size);
    for (let at = 0; at < size;) {
        const got = fs.readSync(kDescriptor, buffer, at, size - at, null);
        if (got === 0) {
            leave(0);
        }
        at += got;
    }
    return buffer;
}

function writeAll(descriptor, buffer) {
    for (let at = 0; at < buffer.length;) {
        at += writeSync(descriptor, buffer, at, buffer.length - at, null);
    }
}

function send(letter, text) {
    const body = Buffer.from(letter + text, 'utf8');
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    writeAll(kDescriptor, head);
    writeAll(kDescriptor, body);
}

// Node.js's own streams write to a full pipe later, in the event loop, which never comes to run.
class Printer extends Writable {
    constructor(descriptor) {
        super({ decodeStrings: true });
        this.fd = descriptor;
    }

    _write(chunk, encoding, done) {
        writeAll(this.fd, chunk);
        done();
    }
}

// The innermost line of the user's code in a stack; a syntax error names it first.
function findLine(error) {
    const stack = error instanceof Error || typeof error?.stack === 'string' ? error.stack : '';
    const match = /(?:^|[\s(])code\.js:(\d+)/.exec(stack);
    return match ? Number(match[1]) : null;
}

function describe(error) {
    const text = typeof error?.message === 'string'
        ? `${error.name ?? 'Error'}: ${error.message}`
        : `Uncaught ${util.inspect(error)}`;
    return text.slice(0, kErrorTextMax);
}

function explain(error) {
    const line = findLine(error);
    if (error?.code === 'EPERM' && /^spawn/.test(error.syscall ?? '')) {
        return { kind: 'forbidden', line, text: 'start a process' };
    }
    const isAllocation = /allocation failed|Invalid array buffer/.test(error?.message);
    if (error instanceof RangeError && isAllocation) {
        return { kind: 'memory', line, text: '' };
    }
    return { kind: 'exception', line, text: describe(error) };
}

// JSON has no lone surrogates; they become U+FFFD, and only texts that have some pay for it.
function toWellFormed(text) {
    if (!/\\ud[89a-f]/i.test(text)) {
        return text;
    }
    return stringify(parse(text), (key, value) => {
        return typeof value === 'string' ? value.toWellFormed() : value;
    });
}

function run(request) {
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const ending = '\n;return typeof main === "undefined" ? undefined : main;';
    const load = vm.compileFunction(request.code + ending, names, { filename: kCodeName });
    const module = { exports: {} };
    const require = createRequire('/tmp/code.js');
    const main = load.call(module.exports, module.exports, require, module, kCodeName, '/tmp');
    if (main === undefined) {
        throw new ReferenceError('main is not defined');
    }
    const result = main(request.inputs);
    if (util.types.isPromise(result)) {
        console.error('main returned a promise, which is not awaited');
    }
    return stringify(result);
}

function answer(request) {
    try {
        const text = run(request);
        if (text === undefined) {
            const words = 'main returned undefined';
            return ['E', stringify({ kind: 'result', line: null, text: words })];
        }
        return ['R', toWellFormed(text)];
    } catch (error) {
        return ['E', stringify(explain(error))];
    }
}

Object.defineProperty(process, 'stdout', { value: new Printer(1) });
Object.defineProperty(process, 'stderr', { value: new Printer(2) });
vm.compileFunction('return {}', [], { filename: kCodeName })();
util.inspect(new Error('x'));
writeSync(kDescriptor, 'r');
const [letter, text] = answer(parse(receive(receive(4).readUInt32LE()).toString('utf8')));
send(letter, text);
leave(0);
