import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogOptions } from '../../api/node-access.ts'
import { readLog } from './read-log.ts'

const dir = mkdtempSync(join(tmpdir(), 'read-log-'))
test.after(() => rmSync(dir, { recursive: true }))

const lines = [
  '2026-01-01T00:00:00.000000001Z stdout F one',
  '2026-01-01T00:00:10.000000001Z stderr F two',
  '2026-01-01T00:00:20.000000001Z stdout P thr',
  '2026-01-01T00:00:20.000000002Z stdout F ee',
  '2026-01-01T00:00:30.000000001Z stdout F four',
].map(line => `${line}\n`)

const NOW = Date.parse('2026-01-01T00:00:35Z')
const never = new AbortController().signal
const noSleep = () => Promise.resolve()

async function read(options: Partial<LogOptions>, text = lines.join('')): Promise<string> {
  const path = join(dir, 'log')
  writeFileSync(path, text)
  const all: LogOptions = { container: 'c', follow: false, previous: false, timestamps: false, ...options }
  const parts: Uint8Array[] = []
  for await (const part of readLog({ path, ended: Promise.resolve() }, all, NOW, noSleep, never))
    parts.push(part)
  return Buffer.concat(parts).toString()
}

const cases: Record<string, [Partial<LogOptions>, string]> = {
  'the whole log is its texts, partial lines joined': [{}, 'one\ntwo\nthree\nfour\n'],
  'timestamps stand before each line once': [
    { timestamps: true, tailLines: 3 },
    '2026-01-01T00:00:20.000000001Z three\n2026-01-01T00:00:30.000000001Z four\n',
  ],
  'the tail is counted in entries of the file': [{ tailLines: 1 }, 'four\n'],
  'a tail of nothing is nothing': [{ tailLines: 0 }, ''],
  'a tail longer than the log is the log': [{ tailLines: 99 }, 'one\ntwo\nthree\nfour\n'],
  'since seconds ago': [{ sinceSeconds: 10 }, 'four\n'],
  'since a time': [{ sinceTime: '2026-01-01T00:00:10Z' }, 'two\nthree\nfour\n'],
  'no more than the limit of bytes': [{ limitBytes: 6 }, 'one\ntw'],
  'one stream alone': [{ stream: 'Stderr' }, 'two\n'],
}

for (const [name, [options, expected]] of Object.entries(cases)) {
  test(name, async () => assert.equal(await read(options), expected))
}

const times: [written: string, shown: string][] = [
  ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456789Z'],
  ['2026-01-01T00:00:00.123456789+00:00', '2026-01-01T00:00:00.123456789Z'],
  ['2026-01-01T00:00:00.1Z', '2026-01-01T00:00:00.100000000Z'],
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000000Z'],
  ['2026-01-01T02:00:00.5+02:00', '2026-01-01T02:00:00.500000000+02:00'],
]

for (const [written, shown] of times)
  test(`a time written as ${written} is shown as ${shown}`, async () => {
    assert.equal(await read({ timestamps: true }, `${written} stdout F one\n`), `${shown} one\n`)
  })

test('following shows what is written meanwhile, and ends with the container', async () => {
  const path = join(dir, 'followed')
  writeFileSync(path, lines[0]!)
  const ended = Promise.withResolvers<void>()
  const options: LogOptions = { container: 'c', follow: true, previous: false, timestamps: false }
  const shown: string[] = []
  for await (const part of readLog({ path, ended: ended.promise }, options, NOW, noSleep, never)) {
    shown.push(Buffer.from(part).toString())
    if (shown.length === 1) appendFileSync(path, lines[1]!)
    if (shown.length === 2) {
      appendFileSync(path, lines[4]!)
      ended.resolve()
    }
  }
  assert.deepEqual(shown, ['one\n', 'two\n', 'four\n'])
})

test('following goes on across a rotation, and misses nothing', async () => {
  const path = join(dir, 'rotated')
  writeFileSync(path, lines[0]!)
  const ended = Promise.withResolvers<void>()
  const options: LogOptions = { container: 'c', follow: true, previous: false, timestamps: false }
  const shown: string[] = []
  for await (const part of readLog({ path, ended: ended.promise }, options, NOW, noSleep, never)) {
    shown.push(Buffer.from(part).toString())
    if (shown.length === 1) {
      renameSync(path, `${path}.20260101-000001`)
      appendFileSync(`${path}.20260101-000001`, lines[1]!)
      writeFileSync(path, lines[4]!)
    }
    if (shown.length === 3) ended.resolve()
  }
  assert.deepEqual(shown, ['one\n', 'two\n', 'four\n'])
})

test('following starts when the file comes to be, and ends when the reader goes', async () => {
  const path = join(dir, 'later')
  const options: LogOptions = { container: 'c', follow: true, previous: false, timestamps: false }
  const abort = new AbortController()
  setTimeout(() => writeFileSync(path, lines[0]!), 5)
  const shown: string[] = []
  for await (const part of readLog(
    { path, ended: new Promise(() => {}) },
    options,
    NOW,
    noSleep,
    abort.signal,
  )) {
    shown.push(Buffer.from(part).toString())
    abort.abort()
  }
  assert.deepEqual(shown, ['one\n'])
})
