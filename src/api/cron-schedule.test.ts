import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchedule, ScheduleError } from './cron-schedule.ts'
import { TimeZone } from './time-zone.ts'

const next = (schedule: string, after: string) => {
  const at = parseSchedule(schedule).next(Date.parse(after))
  return at === undefined ? 'never' : `${new Date(at).toISOString().slice(0, 19)}Z`
}

/** Schedule, after, next: the rules, and the cases of robfig/cron's own documentation. */
const moments: [string, string, string][] = [
  ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  ['* * * * *', '2026-01-01T00:00:59.5Z', '2026-01-01T00:01:00Z'],
  ['0/15 * * * *', '2026-07-09T14:45:00Z', '2026-07-09T15:00:00Z'],
  ['20-35/15 * * * *', '2026-07-09T15:45:00Z', '2026-07-09T16:20:00Z'],
  ['30 6-16/4 * * 1-5', '2026-01-02T14:30:00Z', '2026-01-05T06:30:00Z'],
  ['0 0 * * Mon-Fri', '2026-01-02T00:00:00Z', '2026-01-05T00:00:00Z'],
  ['0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['0 0 */2 * fri', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'],
  ['0 0 29 feb ?', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['59 23 31 2 *', '2026-01-01T00:00:00Z', 'never'],
  ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'],
  ['@every 1h30m', '2026-01-01T00:00:10.9Z', '2026-01-01T01:30:10Z'],
  ['TZ=Asia/Kolkata 30 4 * * *', '2026-01-01T00:00:00Z', '2026-01-01T23:00:00Z'],
  // The clocks of Berlin skip 02:00 to 03:00 on 29 March 2026, and show it twice on 25 October.
  ['TZ=Europe/Berlin 30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00Z'],
  ['CRON_TZ=Europe/Berlin 0 3 * * *', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
  ['TZ=Europe/Berlin 30 2 * * *', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z'],
  ['TZ=Europe/Berlin 30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
  // Midnight of 28 March 2026 is skipped in Beirut (the 29th begins at one).
  ['TZ=Asia/Beirut 0 * 29 3 *', '2026-03-28T12:00:00Z', '2026-03-28T22:00:00Z'],
]

for (const [schedule, after, expected] of moments) {
  test(`${schedule} after ${after} is ${expected}`, () => assert.equal(next(schedule, after), expected))
}

const errors: [string, string][] = [
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['@sometimes', 'unrecognized descriptor: @sometimes'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ['TZ=Nowhere/City * * * * *', 'provided bad location Nowhere/City: unknown time zone Nowhere/City'],
]

for (const [schedule, message] of errors) {
  test(`"${schedule}" is refused: ${message}`, () => {
    assert.throws(() => parseSchedule(schedule), new ScheduleError(message))
  })
}

test('a moment that clocks show twice is the first, and one they skip lies after the gap', () => {
  const berlin = TimeZone.find('Europe/Berlin')!
  const at = (text: string) => {
    const [year, month, day, hour, minute] = text.split(/\D/).map(Number)
    const wall = { year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: 0 }
    return new Date(berlin.moment(wall)).toISOString()
  }
  assert.equal(at('2026-10-25 02:30'), '2026-10-25T00:30:00.000Z')
  assert.equal(at('2026-03-29 02:30'), '2026-03-29T01:30:00.000Z')
  assert.equal(at('2026-07-01 12:00'), '2026-07-01T10:00:00.000Z')
  assert.equal(TimeZone.find('Mars/Base'), undefined)
})
