import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { appendState, readStates, writeState } from './state-dir.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-dir-'))
  mkdirSync(join(folder, 'one'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = () => join(folder, 'one', 'state.json')

test('a state is found again with what was added to it', () => {
  writeState(file(), { id: 'one', state: 'created', exitCode: 0 })
  appendState(file(), { state: 'running' })
  appendState(file(), { state: 'exited', exitCode: 3 })
  assert.deepEqual(readStates(folder), { states: [{ id: 'one', state: 'exited', exitCode: 3 }], broken: [] })
})

test('a state that is replaced forgets what was added before', () => {
  writeState(file(), { id: 'one', state: 'created' })
  appendState(file(), { reason: 'old' })
  writeState(file(), { id: 'one', state: 'running' })
  assert.deepEqual(readStates(folder).states, [{ id: 'one', state: 'running' }])
  assert.deepEqual(readdirSync(join(folder, 'one')), ['state.json'])
})

test('part of a line, as a crash leaves it, changes nothing', () => {
  writeState(file(), { id: 'one', state: 'created' })
  appendState(file(), { state: 'running' })
  appendFileSync(file(), '{"state":"exi')
  assert.deepEqual(readStates(folder).states, [{ id: 'one', state: 'running' }])
  appendState(file(), { state: 'exited' })
  appendState(file(), { exitCode: 1 })
  assert.deepEqual(readStates(folder).states, [{ id: 'one', state: 'running', exitCode: 1 }])
})

test('what has no whole state is half-made', () => {
  appendFileSync(file(), '{"id":"one"')
  mkdirSync(join(folder, 'two'))
  assert.deepEqual(readStates(folder), { states: [], broken: ['one', 'two'] })
})
