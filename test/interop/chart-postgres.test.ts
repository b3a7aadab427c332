/** The chart with three servers on PostgreSQL, and what its programs read of what it renders. */
import { expect } from 'vitest'
import { readAgentConfig } from '../../agent/config.ts'
import { readServerConfig } from '../../server/config.ts'
import { agentText, objectsOf, serverText, template } from './chart/render.ts'
import { interop } from './interop.ts'

const SEVERAL = {
  server: {
    replicas: 3,
    database: { type: 'postgres', secretName: 'db', secretKey: 'url', filesSecretName: 'db-files' },
  },
}

interop('three servers on PostgreSQL are rendered as they were looked over', ['helm'], async () => {
  const [one, three] = [await template({}), await template(SEVERAL)]
  expect(three.code, three.stderr).toBe(0)
  const before = new Set(one.stdout.split('\n'))
  const added = three.stdout.split('\n').filter((line) => !before.has(line))
  await expect(`${added.join('\n')}\n`).toMatchFileSnapshot('chart/several-servers.txt')
})

interop('servers and agents take the configurations of three servers', ['helm'], async () => {
  const { stdout } = await template(SEVERAL)
  const objects = objectsOf(stdout)
  const source = (text: string, env: Readonly<Record<string, string>>) => ({
    ...{ path: 'file.json', text, env, flags: { expandEnv: true } },
    readText: () => 'PEM',
  })
  const uri = 'postgres://me:p$HOME@db/steeple?sslmode=require'
  const text = serverText(objects)
  const server = readServerConfig(source(text, { STEEPLE_DATABASE: uri, HOME: '/root' }))
  expect(server.dataStore).toMatchObject({
    ...{ kind: 'postgres', primary: { user: 'me', password: 'p$HOME', database: 'steeple' } },
  })
  // What else has a dollar sign is what it is without the environment.
  expect(server.controller?.ignoredNamespaces).toEqual([
    '^kube-system$',
    '^kube-public$',
    '^steeple$',
  ])
  const agent = readAgentConfig({
    ...source(agentText(objects), { MY_NODE_NAME: 'node1' }),
    flags: {},
  })
  const serverAddress = 'steeple-servers.steeple.svc'
  expect(agent).toMatchObject({ serverAddress, serverPort: 8081 })
})

interop('a connection string that breaks the text is refused and not shown', ['helm'], async () => {
  const { stdout } = await template(SEVERAL)
  const text = serverText(objectsOf(stdout))
  for (const broken of [
    'host=db password="s3cr3t"',
    "password=s3cr3t\\' host=db",
    'host="s3cr3t',
  ]) {
    const input = { path: 'server.json', text, env: { STEEPLE_DATABASE: broken } }
    const reading = () =>
      readServerConfig({ ...input, flags: { expandEnv: true }, readText: () => 'PEM' })
    expect(reading).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(reading).toThrow(/server\.json:\d\d+:/)
    expect(reading).not.toThrow(/s3cr3t/)
  }
})
