// The readable page of the API's document, without a browser: whole links, nothing put in as HTML.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { docsPage } from '../../gateway/admin/docs-page.ts'
import { openApi } from '../support/operators.ts'

describe('the readable page', () => {
  it('is there for whoever asks, with its style, and every link on it leads somewhere', async () => {
    await using api = await openApi()
    const { text, headers } = await request(api.app).get('/api/docs').expect(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((id) => !ids.has(id))).toEqual([])
    const style = await request(api.app).get('/api/docs/style.css').expect(200)
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8')
    expect(text).not.toMatch(/<script|style=|undefined|\[object/)
  })

  it('shows text as text', () => {
    const evil = `<img src=x onerror="alert(1)">'&`
    const operation = {
      operationId: 'getX',
      tags: ['x'],
      summary: evil,
      description: `${evil} \`${evil}\``,
      parameters: [
        {
          in: 'query',
          name: evil,
          description: evil,
          schema: { type: 'string', pattern: evil, default: evil },
        },
      ],
      requestBody: {
        content: {
          'application/json': { schema: { type: 'object', properties: { [evil]: { enum: [evil] } } } },
        },
      },
      responses: { 200: { description: evil } },
    }
    const page = docsPage({
      info: { title: evil, version: evil, description: evil },
      servers: [{ url: '/api/v1' }],
      paths: { [`/${evil}`]: { get: operation } },
      components: { schemas: {} },
    })
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;')
  })
})
