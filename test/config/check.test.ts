/** What the checker reports, on a small configuration of its own. */
import { expect, test } from 'vitest'
import { absent, idle } from '../../config/absent.ts'
import { nest, optional, required, section, withDefault } from '../../config/check.ts'
import { overlayFlags } from '../../config/flags.ts'
import { listKeys } from '../../config/key-table.ts'
import { newReport, throwMistakes } from '../../config/mistake.ts'
import { parseConfig } from '../../config/parse.ts'
import { noneYet, plugins } from '../../config/plugins.ts'
import {
  choice,
  host,
  listOf,
  milliseconds,
  port,
  seconds,
  socketPath,
  spiffeIdValue,
  text,
  trustDomain,
  truth,
  whole,
} from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { refusalOf } from './trees.ts'

const house = section({
  name: required(text(), 'its name'),
  port: withDefault(port(), '80', 'its port'),
  open: withDefault(truth(), 'true', 'whether it is open'),
  colour: optional(choice(['red', 'green'], { crimson: 'red' }), 'its colour'),
  age: withDefault(seconds(), '1h', 'its age'),
  nap: optional(milliseconds(), 'its nap'),
  floors: optional(whole(-3, 3, 'a floor'), 'its floor'),
  address: optional(host(), 'its address'),
  socket: optional(socketPath(), 'its socket'),
  domain: optional(trustDomain(), 'its domain'),
  guests: withDefault(listOf(spiffeIdValue(), 'SPIFFE IDs'), '[]', 'its guests'),
  tags: withDefault(listOf(text(), 'tags'), '[]', 'its tags'),
  roof: absent('its roof', 'flat'),
  bell: idle(milliseconds(), '1s', 'nobody rings', 'its bell'),
  garden: nest(section({ trees: withDefault(whole(1, 9, 'a few'), '2', 'trees') }), 'its garden'),
})

const file = section({
  house: nest(house, 'the house'),
  plugins: required(
    plugins({
      Door: {
        offered: { front: section({ key: required(text(), 'key') }) },
        planned: ['back'],
        least: 1,
        most: 1,
      },
      Lamp: { offered: { floor: section({}), wall: section({}) }, planned: [], least: 0, most: 9 },
      Oven: noneYet('gas'),
    }),
    'what belongs to it',
  ),
})

const DOOR = 'plugins { Door "front" { plugin_data { key = "k" } } }'

function read(source: string, options: { path?: string; files?: Record<string, string> } = {}) {
  const { path = 'x.conf', files = {} } = options
  const root = parseConfig(path, source)
  const report = newReport()
  const readText = (name: string) => {
    const content = Object.hasOwn(files, name) ? files[name] : undefined
    if (content === undefined) throw new IdentityError('CONFIG_INVALID', `unable to read ${name}`)
    return content
  }
  const value = file.read(
    [{ key: '', value: root, place: root.place }],
    { name: '', place: root.place },
    { report, readText },
  )
  throwMistakes(report)
  return { value, warnings: report.warnings }
}

const house1 = (body: string) => `house { name = "h"\n ${body}\n}\n${DOOR}`
const valuesOf = (body: string) => read(house1(body)).value?.house

test('fills in defaults, also of sections that are not written', () => {
  expect(valuesOf('')).toMatchObject({
    name: 'h',
    port: 80,
    open: true,
    age: 3600,
    guests: [],
    garden: { trees: 2 },
  })
})

test.for([
  ['a number in quotes', 'port = "81"', { port: 81 }],
  ['a hexadecimal number', 'port = 0x51', { port: 81 }],
  ['a key in capitals', 'PORT = 81', { port: 81 }],
  ['zero as unset', 'port = 0', { port: 80 }],
  ['an empty text as unset', 'age = ""\n colour = ""', { age: 3600, colour: undefined }],
  ['a zero duration as unset', 'age = "0s"', { age: 3600 }],
  ['a number as text', 'name = 5', { name: '5' }, 'house { '],
  ['another case', 'colour = "RED"', { colour: 'red' }],
  ['another name', 'colour = "Crimson"', { colour: 'red' }],
  ['false', 'open = false', { open: false }],
  ['a negative number', 'floors = -3', { floors: -3 }],
  ['zero where it is a number', 'floors = 0', { floors: 0 }],
  ['a short duration', 'nap = "1.5ms"', { nap: 1.5 }],
  ['an IPv6 address in brackets', 'address = "[::1]"', { address: '::1' }],
  ['a DNS name', 'address = "a-1.example.org"', { address: 'a-1.example.org' }],
  ['a trust domain by its ID', 'domain = "spiffe://example.org"', { domain: 'example.org' }],
  ['a list', 'guests = ["spiffe://a/b", "spiffe://c"]', { guests: ['spiffe://a/b', 'spiffe://c'] }],
  ['repeated sections as one', 'garden { }\n garden { trees = 3 }', { garden: { trees: 3 } }],
  ['a list of objects as one', 'garden = [{ trees = 3 }]', { garden: { trees: 3 } }],
  ['the default of a missing part', 'roof = "flat"', { roof: undefined }],
  ['a missing part switched off', 'roof = false', { roof: undefined }],
] as const)('reads %s', ([, body, expected, head]) => {
  const source = head === undefined ? house1(body) : `${head}${body}\n}\n${DOOR}`
  expect(read(source).value?.house).toMatchObject(expected)
})

test.for([
  ['an unknown key', 'prt = 1', '2:2: unknown key "prt" in house (did you mean "port"?)'],
  ['an unknown key that is like none', 'zzzzz = 1', '2:2: unknown key "zzzzz" in house'],
  [
    'an unknown key in a nested section',
    'garden { x = 1 }',
    '2:11: unknown key "x" in house.garden',
  ],
  ['a key of objects’ own', '__proto__ { }', '2:2: unknown key "__proto__" in house'],
  [
    'a repeated key',
    'port = 1\n port = 2',
    '3:2: house.port is written more than once (expected one of them)',
  ],
  [
    'a repeated key in another case',
    'port = 1\n Port = 2',
    '3:2: house.port is written more than once',
  ],
  ['a repeated list', 'tags = ["a"]\n tags = ["b"]', '3:2: house.tags is written more than once'],
  ['a port too high', 'port = 65536', '2:2: house.port is 65536 (expected a port from 1 to 65535)'],
  ['a negative port', 'port = -1', '2:2: house.port is -1'],
  ['a port with a fraction', 'port = 80.0', '2:2: house.port is 80.0'],
  ['a number with a leading zero', 'port = 0777', '2:2: house.port is 0777'],
  ['a text for a port', 'port = "http"', '2:2: house.port is "http"'],
  ['an object for a port', 'port = {}', '2:2: house.port is an object'],
  [
    'a text for a truth value',
    'open = "true"',
    '2:2: house.open is "true" (expected true or false)',
  ],
  ['a number for a truth value', 'open = 1', '2:2: house.open is 1'],
  ['a truth value for a text', 'colour = true', '2:2: house.colour is a boolean'],
  [
    'a name that is not offered',
    'colour = "blue"',
    '2:2: house.colour is "blue" (expected one of red, green)',
  ],
  [
    'a duration without a unit',
    'age = 24',
    '2:2: house.age is wrong: "24" is not a duration: its unit is missing',
  ],
  ['a negative duration', 'age = "-1h"', '2:2: house.age is "-1h"'],
  ['half a second of life', 'age = "1500ms"', '2:2: house.age is "1500ms"'],
  ['a negative nap', 'nap = "-1ms"', '2:2: house.nap is "-1ms"'],
  [
    'a host with a space',
    'address = "a b"',
    '2:2: house.address is "a b" (expected an IP address or a DNS name)',
  ],
  ['a host that begins with a dash', 'address = "-a"', '2:2: house.address is "-a"'],
  ['a host with a port', 'address = "a:80"', '2:2: house.address is "a:80"'],
  ['a long socket path', `socket = "/${'x'.repeat(107)}"`, 'house.socket is "/xxx'],
  [
    'a trust domain in capitals',
    'domain = "Example.org"',
    '2:2: house.domain is wrong: not a trust domain',
  ],
  [
    'a trust domain with a path',
    'domain = "spiffe://a/b"',
    '2:2: house.domain is wrong: not a trust domain',
  ],
  ['a text for a list', 'tags = "a"', '2:2: house.tags is a string (expected a list of tags)'],
  ['an object in a list', 'tags = ["a", {}]', '2:2: house.tags item 1 is an object'],
  ['an empty item', 'tags = ["a", ""]', '2:2: house.tags has an empty item 1'],
  [
    'a wrong item',
    'guests = ["spiffe://a/b", "x"]',
    '2:2: house.guests item 1 is wrong: not a SPIFFE ID: "x"',
  ],
  [
    'a section that is a text',
    'garden = "x"',
    '2:2: house.garden is a string (expected an object)',
  ],
  [
    'a part that is not there yet',
    'roof = "steep"',
    '2:2: house.roof is not implemented yet (expected it to be left out, or flat)',
  ],
  ['a block of what is not there yet', 'roof { }', '2:2: house.roof is not implemented yet'],
  ['a wrong value that would have no effect', 'bell = "x"', '2:2: house.bell is wrong'],
] as const)('refuses %s by place and name', ([, body, message]) => {
  const refusal = refusalOf(() => valuesOf(body))
  expect(refusal).toContain(message.startsWith('house') ? message : `x.conf:${message}`)
  expect(refusal.split('\n')).toHaveLength(1)
})

test('tells all mistakes at once, in the order of the file', () => {
  const source =
    'hous { }\nhouse {\n  port = "x"\n  prt = 1\n  age = "1d"\n}\nplugins { Dor "x" { } }'
  expect(refusalOf(() => read(source)).split('\n')).toEqual([
    'x.conf:1:1: unknown key "hous" at the top level (did you mean "house"?)',
    'x.conf:2:1: house.name is missing (expected a string)',
    'x.conf:3:3: house.port is "x" (expected a port from 1 to 65535)',
    'x.conf:4:3: unknown key "prt" in house (did you mean "port"?)',
    'x.conf:5:3: house.age is wrong: "1d" is not a duration: unknown unit "d" (expected a duration such as 24h or 90s)',
    'x.conf:7:1: 0 plugins are enabled in plugins.Door (expected exactly 1 of front)',
    'x.conf:7:11: unknown key "Dor" in plugins (did you mean "Door"?)',
  ])
})

test('counts mistakes beyond a hundred instead of telling them', () => {
  const keys = Array.from({ length: 150 }, (_, index) => `zzzzzz${index} = 1`).join('\n')
  const lines = refusalOf(() => valuesOf(keys)).split('\n')
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toBe('and 50 more mistakes')
})

test('warns of keys that have no effect, with their place and the reason', () => {
  const { warnings } = read(house1('bell = "5s"'))
  expect(warnings).toEqual(['x.conf:2:2: house.bell has no effect: nobody rings'])
})

test.for([
  [
    'x.yaml',
    'house:\n  name: h\n  garden: {trees: 3}\nplugins:\n  Door:\n    front:\n      plugin_data: {key: k}\n  Lamp:\n    wall:\n',
  ],
  [
    'x.json',
    '{"house":{"name":"h","garden":[{"trees":3}]},"plugins":{"Door":{"front":{"plugin_data":{"key":"k"}}},"Lamp":[{"wall":{}}]}}',
  ],
  [
    'x.conf',
    'house { name = "h" garden { trees = 3 } }\nplugins { Door { "front" { plugin_data { key = "k" } } }\n Lamp "wall" { } }',
  ],
  [
    'x.conf',
    'house = { name = "h", garden = { trees = 3 } }\nplugins = { Door "front" plugin_data { key = "k" }\n Lamp = { wall = {} } }',
  ],
] as const)('reads the same from every way to write it: %s', ([path, source]) => {
  expect(read(source, { path }).value).toMatchObject({
    house: { name: 'h', garden: { trees: 3 } },
    plugins: {
      Door: [{ name: 'front', data: { key: 'k' } }],
      Lamp: [{ name: 'wall', data: {} }],
      Oven: [],
    },
  })
})

const withPlugins = (body: string, files = {}) =>
  read(`house { name = "h" }\nplugins {\n${body}\n}`, { files }).value?.plugins

test('leaves out plugins that are disabled, whatever they hold', () => {
  const door = 'Door "front" { plugin_data { key = "k" } }'
  const disabled = 'Door "back" { enabled = false }\nDoor "x" { enabled = false plugin_cmd = "x" }'
  const lamp = 'Lamp "wall" { enabled = false plugin_data { nonsense = 1 } }'
  expect(withPlugins(`${door}\n${disabled}\n${lamp}`)).toMatchObject({
    Door: [{ name: 'front' }],
    Lamp: [],
  })
})

test('reads plugin data from a file, in the format of its name', () => {
  const files = { 'door.yaml': 'key: from-file' }
  expect(withPlugins('Door "front" { plugin_data_file = "door.yaml" }', files)).toMatchObject({
    Door: [{ name: 'front', data: { key: 'from-file' } }],
  })
})

const DOOR_LINE = 'Door "front" { plugin_data { key = "k" } }\n'

test.for([
  [
    'no plugin where one is needed',
    '',
    '2:1: 0 plugins are enabled in plugins.Door (expected exactly 1 of front)',
  ],
  [
    'a needed plugin that is disabled',
    'Door "front" { enabled = false }',
    '2:1: 0 plugins are enabled in plugins.Door',
  ],
  [
    'the same plugin twice',
    `${DOOR_LINE}${DOOR_LINE}`,
    '4:6: plugins.Door.front is written more than once',
  ],
  [
    'a plugin type that is unknown',
    `${DOOR_LINE}lamp "wall" { }`,
    '4:1: unknown key "lamp" in plugins (did you mean "Lamp"?)',
  ],
  [
    'a plugin that is unknown',
    `${DOOR_LINE}Lamp "floo" { }`,
    '4:6: plugins.Lamp.floo is no known plugin (did you mean "floor"?) (expected floor, wall)',
  ],
  [
    'a plugin that is not there yet',
    'Door "back" { }',
    '3:6: plugins.Door.back is not implemented yet (expected front)',
  ],
  [
    'a plugin of a type that is not there yet',
    `${DOOR_LINE}Oven "gas" { }`,
    '4:6: plugins.Oven.gas is not implemented yet (expected it to be removed or disabled)',
  ],
  [
    'a program of the user’s',
    `${DOOR_LINE}Lamp "x" { plugin_cmd = "/bin/x" }`,
    '4:6: plugins.Lamp.x is an external plugin, and those are not offered',
  ],
  [
    'a program in place of an own plugin',
    `${DOOR_LINE}Lamp "wall" { plugin_cmd = "/bin/x" }`,
    '4:6: plugins.Lamp.wall is an external plugin',
  ],
  [
    'an unknown key of a plugin',
    `${DOOR_LINE}Lamp "wall" { enable = false }`,
    '4:15: unknown key "enable" in plugins.Lamp.wall (did you mean "enabled"?)',
  ],
  [
    'an unknown key of its data',
    `${DOOR_LINE}Lamp "wall" { plugin_data { x = 1 } }`,
    '4:29: unknown key "x" in plugins.Lamp.wall',
  ],
  ['missing data', 'Door "front" { }', '3:6: plugins.Door.front.key is missing'],
  [
    'data twice',
    `${DOOR_LINE}Lamp "wall" { plugin_data { } plugin_data_file = "x" }`,
    '4:6: plugins.Lamp.wall has plugin_data and plugin_data_file',
  ],
  [
    'a data file that is not there',
    `${DOOR_LINE}Lamp "wall" { plugin_data_file = "x" }`,
    '4:6: plugins.Lamp.wall.plugin_data_file: unable to read x',
  ],
  [
    'a data file that is broken',
    `${DOOR_LINE}Lamp "wall" { plugin_data_file = "broken.conf" }`,
    '4:6: plugins.Lamp.wall.plugin_data_file: broken.conf:1:5: unexpected end of the file',
  ],
  [
    'a data file with an unknown key',
    `${DOOR_LINE}Lamp "wall" { plugin_data_file = "odd.conf" }`,
    'odd.conf:1:1: unknown key "x" in plugins.Lamp.wall',
  ],
  [
    'a plugin that is a text',
    `${DOOR_LINE}Lamp = "wall"`,
    '4:1: plugins.Lamp is a string (expected an object)',
  ],
] as const)('refuses %s', ([, body, message]) => {
  const files = { 'broken.conf': 'x = ', 'odd.conf': 'x = 1' }
  const refusal = refusalOf(() => withPlugins(body, files))
  expect(refusal.split('\n')).toHaveLength(1)
  expect(refusal).toContain(message)
})

test('refuses a second plugins section, of which SPIRE would drop the first', () => {
  expect(refusalOf(() => read(`house { name = "h" }\n${DOOR}\n${DOOR}`))).toBe(
    'x.conf:3:1: plugins is written more than once (expected one of them)',
  )
})

test('puts flags over keys, and blames the flag for what is wrong in it', () => {
  const root = parseConfig('x.conf', house1('PORT = "nonsense"'))
  const flags = [
    { flag: '-port', key: 'port', value: 81 },
    { flag: '-name', key: 'name', value: undefined },
    { flag: '-colour', key: 'colour', value: '' },
    { flag: '-open', key: 'open', value: false },
  ]
  const judge = (given: typeof flags) => {
    const laid = overlayFlags(root, 'house', given)
    const report = newReport()
    const found = [{ key: '', value: laid, place: laid.place }]
    const context = { report, readText: () => '' }
    const value = file.read(found, { name: '', place: laid.place }, context)
    throwMistakes(report)
    return value?.house
  }
  expect(judge(flags)).toMatchObject({ name: 'h', port: 81, open: false })
  expect(refusalOf(() => judge([{ flag: '-port', key: 'port', value: 70_000 }]))).toBe(
    '-port: house.port is 70000 (expected a port from 1 to 65535)',
  )
})

test('lists every key for the documentation', () => {
  const rows = listKeys(house.keys, 'house')
  expect(rows.map(({ name }) => name)).toContain('house.garden.trees')
  expect(rows.find(({ name }) => name === 'house.age')).toEqual({
    name: 'house.age',
    about: 'its age',
    fallback: '1h',
    expected: 'a duration such as 24h or 90s',
    unit: 'duration',
    status: 'implemented',
  })
  expect(rows.find(({ name }) => name === 'house.roof')?.status).toBe('not implemented yet')
})
