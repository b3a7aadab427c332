/** Which command a command line names; every row was tried with spire-server 1.15.3. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findCommand } from '../../cli/find-command.ts'

const PATHS = new Set(['run', 'entry', 'entry show', 'api', 'api fetch', 'api fetch jwt'])
const find = (line: string) => findCommand(line.split(' '), PATHS)

test.for([
  ['run', 'run', ''],
  ['run -config x', 'run', '-config x'],
  ['entry', 'entry', ''],
  ['entry show -spiffeID x', 'entry show', '-spiffeID x'],
  ['entry shov', 'entry', 'shov'],
  ['entry showw', 'entry', 'showw'],
  ['entry -spiffeID show', 'entry', '-spiffeID show'],
  ['api fetch', 'api fetch', ''],
  ['api fetch jwt -audience a', 'api fetch jwt', '-audience a'],
  ['api fetch x509', 'api fetch', 'x509'],
  ['nope', '', 'nope'],
  ['show', '', 'show'],
] as const)('finds in "%s" the command "%s"', ([line, path, args]) => {
  const found = find(line)
  expect([found.path.join(' '), found.args.join(' ')]).toEqual([path, args])
})

test.for([
  ['-h', true],
  ['run -h', true],
  ['run --help', true],
  ['run -help', true],
  ['run -config x -h', true],
  ['run -- -h', false],
  ['run', false],
] as const)('hears the wish for help in "%s": %s', ([line, wanted]) => {
  expect(find(line).wantsHelp).toBe(wanted)
})

test.for([
  ['-v', true],
  ['-version', true],
  ['--version entry show', true],
  ['entry -version', false],
  ['entry show -version', false],
] as const)('hears the wish for the version before a command alone: "%s" %s', ([line, wanted]) => {
  expect(find(line).wantsVersion).toBe(wanted)
})

test('names flags before the command, which belong to nothing', () => {
  expect(find('-socketPath=x entry show').strayFlags).toEqual(['-socketPath=x'])
  expect(find('entry show -socketPath=x').strayFlags).toEqual([])
})

test('finds nothing behind two dashes', () => {
  expect(find('-- entry show').path).toEqual([])
})

test('finds nothing for a word with a space in it', () => {
  expect(findCommand(['entry show'], PATHS).path).toEqual([])
  expect(findCommand(['entry', 'show x'], PATHS).path).toEqual(['entry'])
})

test('finds only commands that there are, whatever is typed', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('entry', 'show', 'api', 'fetch', '-h', '--'))
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const { path } = findCommand(words, PATHS)
      expect(path.length === 0 || PATHS.has(path.join(' '))).toBe(true)
    }),
  )
})
