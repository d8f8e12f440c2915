import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, Pattern, PatternError, PatternWorkError, patternProblem } from './pattern.ts'

const matching: [pattern: string, text: string, isFound: boolean][] = [
  ['b', 'abc', true],
  ['^b$', 'abc', false],
  ['(?i)ABC', 'xabcx', true],
  ['a(?i)b|c', 'aB', true],
  ['(?i:a)b', 'AB', false],
  ['(?s)a.b', 'a\nb', true],
  ['a.b', 'a\nb', false],
  ['(?m)^b$', 'a\nb\nc', true],
  ['^b$', 'a\nb\nc', false],
  ['(?P<year>\\d{4})-(?<month>\\d\\d)', '2026-11', true],
  ['(?P<n>a)(?P<n>b)', 'ab', true],
  ['(?P<n>a)(?<n>b)(?P<_1>c)(?<_1>d)(?<_3>e)', 'abcde', true],
  ['\\Aab\\z', 'ab', true],
  ['\\Aab\\z', 'ab\n', false],
  ['ab$', 'ab\n', false],
  ['^\\pL+$', 'Größe', true],
  ['^\\p{Greek}+$', 'αβγ', true],
  ['^\\p{lowercase_letter}+$', 'größe', true],
  ['^[\\p{Letter}\\p{Decimal-Number}]+$', 'ä1', true],
  ['^\\p{^greek}$', 'a', true],
  ['^[[:alpha:]_]+$', 'a_b', true],
  ['^[[:^digit:]]$', '1', false],
  ['^\\Qa.b\\E$', 'a.b', true],
  ['^\\Qa.b\\E$', 'axb', false],
  ['^.$', '😀', true],
  ['^\\w$', 'é', false],
  ['^\\s$', '\u00a0', false],
  ['^a{,2}$', 'a{,2}', true],
  ['^[]a]$', ']', true],
  ['\\x{1F600}', '😀', true],
  ['(?U)^a+?$', 'aa', true],
  ['(?P<1a>b)', 'b', true],
  ['[!-[:]x', ':x', true],
  ['', '', true],
]
for (const [pattern, text, isFound] of matching) {
  test(`${JSON.stringify(pattern)} is ${isFound ? '' : 'not '}in ${JSON.stringify(text)}`, () => {
    assert.equal(compilePattern(pattern).test(text), isFound)
  })
}

const refused: [pattern: string, problem: string][] = [
  ['(', 'missing closing ): `(`'],
  ['a)', 'unexpected ): `a)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['x[\\p{letter}\\p{greek}', 'missing closing ]: `[\\p{letter}\\p{greek}`'],
  ['\\p{letter}(', 'missing closing ): `\\p{letter}(`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['(?<n>a)(?<n>?:b)', 'missing argument to repetition operator: `?`'],
  ['(?<n>a)(?<n>b', 'missing closing ): `(?<n>a)(?<n>b`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['(a{1000}){2}', 'invalid repeat count: `{2}`'],
  ['a{3,1}', 'invalid repeat count: `{3,1}`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['\\p{Klingon}', 'invalid character class range: `\\p{Klingon}`'],
  ['[[:klingon:]]', 'invalid character class range: `[:klingon:]`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ['(?P<a>b)\\k<a>', 'invalid escape sequence: `\\k`'],
  ['\\u0041', 'invalid escape sequence: `\\u`'],
  ['\\Z', 'invalid escape sequence: `\\Z`'],
  ['\\cA', 'invalid escape sequence: `\\c`'],
  ['[\\b]', 'invalid escape sequence: `\\b`'],
  ['a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['a(?!b)', 'invalid or unsupported Perl syntax: `(?!`'],
  ['(?<=a)b', 'invalid named capture: `(?<=a)b`'],
  ['(?<!a)b', 'invalid named capture: `(?<!a)b`'],
  ['(?#note)', 'invalid or unsupported Perl syntax: `(?#`'],
  ['(?P<', 'invalid or unsupported Perl syntax: `(?P`'],
  ['(?P<a-b>c)', 'invalid named capture: `(?P<a-b>`'],
  [
    `${'('.repeat(1001)}a${')'.repeat(1001)}`,
    `expression nests too deeply: \`${'('.repeat(1001)}a${')'.repeat(1001)}\``,
  ],
  ['x{1000}'.repeat(60), `expression too large: \`${'x{1000}'.repeat(60)}\``],
  ['(x{30}){30}'.repeat(60), `expression too large: \`${'(x{30}){30}'.repeat(60)}\``],
  ['[!-[:]x{1000}:]'.repeat(60), `expression too large: \`${'[!-[:]x{1000}:]'.repeat(60)}\``],
  ['(x{0,1000}){0}', ''],
]
for (const [pattern, problem] of refused) {
  test(`what is wrong with ${JSON.stringify(pattern.slice(0, 40))}: ${problem.slice(0, 60) || 'nothing'}`, () => {
    assert.equal(patternProblem(pattern), problem ? `error parsing regexp: ${problem}` : undefined)
    if (problem) assert.throws(() => compilePattern(pattern), PatternError)
  })
}

const found: [pattern: string, text: string, most: number, parts: string[]][] = [
  ['[0-9]+', '123 abc 456', -1, []],
  ['[0-9]+', '123 abc 456', 0, []],
  ['[0-9]+', '123 abc 456', 1, ['123']],
  ['[0-9]+', '123 abc 456', 9, ['123', '456']],
  ['[0-9]*', '12a3', 9, ['12', '3']],
  ['x', 'abc', 9, []],
  ['', '😀b', 9, ['', '', '']],
  ['a|ab', 'abab', 9, ['a', 'a']],
  ['\\b', 'ab c', 9, ['', '', '', '']],
]
for (const [pattern, text, most, parts] of found) {
  test(`${most} of ${JSON.stringify(pattern)} in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(compilePattern(pattern).all(text, most), parts)
    assert.equal(
      compilePattern(pattern).first(text),
      most > 0 ? parts[0] : compilePattern(pattern).all(text)[0],
    )
  })
}

/** The best of three, so that what else the machine does counts less. */
function timeOf(run: () => void): number {
  const times = [1, 2, 3].map(() => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return Math.min(...times)
}

for (const source of ['(a+)+$', '^(a|a)*$', '(a|aa)+$', '(.*a){12}$', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
  test(`a text four times as long takes ${source} about four times as long`, () => {
    const pattern = compilePattern(source)
    const look = (length: number) => () => {
      assert.equal(pattern.test(`${'a'.repeat(length)}!`), false)
    }
    look(1_000)()
    const [short, long] = [timeOf(look(25_000)), timeOf(look(100_000))]
    // Quadratic would be 16 times, what RegExp does has no end. Times of a few milliseconds are all noise.
    assert.ok(long < 12 * Math.max(short, 5), `${short} ms, then ${long} ms`)
  })
}

test('a text that is too long for a large pattern is refused before it is looked at', () => {
  const pattern = compilePattern('(?i)[a-z]{1,1000}[0-9]{1000}')
  assert.throws(() => pattern.test('a'.repeat(100_000)), PatternWorkError)
  assert.equal(pattern.test('a'.repeat(10_000)), false)
})

test('a search that goes over the text again and again comes to an end', () => {
  let time = 0
  const clock = () => (time += 100)
  assert.throws(() => compilePattern('a[^b]*b|a').all('a'.repeat(1_000), 1_000, clock), PatternWorkError)
  assert.equal(compilePattern('a[^b]*b|a').all('a'.repeat(5), 1_000, clock).length, 5)
})

test('a pattern is compiled once while it is in use, and forgotten after many others', () => {
  const first = compilePattern('kept-1')
  for (let count = 0; count < 150; count++) compilePattern(`other-${count}`)
  assert.equal(compilePattern('kept-1'), first)
  for (let count = 0; count < 300; count++) compilePattern(`more-${count}`)
  assert.notEqual(compilePattern('kept-1'), first)
  assert.ok(compilePattern('kept-1') instanceof Pattern)
})

test('large patterns push out many small ones', () => {
  const first = compilePattern('kept-2')
  for (let count = 0; count < 6; count++) compilePattern(`x{1000}${'y{1000}'.repeat(39)}${count}`)
  assert.notEqual(compilePattern('kept-2'), first)
})
