import { expect, test } from 'vitest'
import { parseAddress, showAddress } from '../../config/address.ts'

test.each([
  '127.0.0.1:0',
  '[::1]:8080',
  'orders.shop:8443',
  'unix:/run/app.sock',
  'unix:///run/app.sock',
  // Its path has three slashes in front: written without those of a URL it would be read as another one.
  'unix://///run/app.sock',
])('%s is written so that it is read as the same', (text) => {
  const read = parseAddress(text, 0)
  expect(read).toBeDefined()
  expect(parseAddress(showAddress(read ?? { kind: 'unix', path: '' }), 0)).toEqual(read)
})

test.each(['127.0.0.1', '[1.2.3.4]:80', 'a b:80', 'unix:run/app.sock', 'unix:/a\0b', 'a:65536'])(
  '%j is no address',
  (text) => {
    expect(parseAddress(text, 1)).toBeUndefined()
  },
)
