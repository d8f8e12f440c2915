import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { envFileValue } from './env-file.ts'

const VALUES: Record<string, { text: string; name: string; value: string | undefined }> = {
  'a quoted value is taken literally': { text: 'A=\'x $Y "z" \\ #\'\n', name: 'A', value: 'x $Y "z" \\ #' },
  'a quoted value goes over several lines': {
    text: "A='one\n  two\n'\nB='b'",
    name: 'A',
    value: 'one\n  two\n',
  },
  'what follows a value of several lines is found': { text: "A='one\nB=two'\nB='b'", name: 'B', value: 'b' },
  'blank lines, comments and white space around do not matter': {
    text: "\n# A='no'\n\t A = 'yes'  # why\n",
    name: 'A',
    value: 'yes',
  },
  'the first of two counts': { text: "A='1'\nA='2'", name: 'A', value: '1' },
  'an empty value is a value': { text: "A=''", name: 'A', value: '' },
  'a value without quotes goes to the end of its line': { text: 'A=x y  \n', name: 'A', value: 'x y' },
  'a line that is continued is joined with a space': { text: 'A=x \\\n  y', name: 'A', value: 'x y' },
  'a variable that is not set has no value': { text: "A='1'", name: 'B', value: undefined },
}

const FAILURES: Record<string, string> = {
  'a line without an equals sign': "B='1'\nnonsense\n",
  'a line without a name': "B='1'\n='x'",
  'text after the closing quote': "B='1'\nC='x'y",
  'a quote that is not closed': "C='x\ny",
  'a continuation into a comment': 'B=1\\\n# x',
}

describe('env file', () => {
  for (const [title, { text, name, value }] of Object.entries(VALUES)) {
    it(title, () => assert.equal(envFileValue(text, name), value))
  }
  for (const [what, text] of Object.entries(FAILURES)) {
    it(`${what} is refused, and its line told`, () =>
      assert.throws(() => envFileValue(text, 'A'), /invalid environment variable format at line [123]/))
  }
})
