// /api/docs: the API's document as a page for people. Made here, whole, so that it needs no script and nobody else's server.
import type { Express } from 'express'
import { type DocumentedOperation, type ReadableDocument, readableDocument } from './docs-document.ts'
import { type Html, html, inline, label, prose } from './docs-html.ts'
import { exampleOf, rowHtml, schemaTable } from './docs-schema.ts'
import { docsStyle } from './docs-style.ts'

export const docsPath = '/api/docs'
const stylePath = `${docsPath}/style.css`

/** @param document The OpenAPI document; asked for once, when somebody first opens the page. */
export function mountDocs(app: Express, document: () => object): void {
  let page: string | undefined
  app.get(docsPath, (_request, response) => {
    page ??= docsPage(document())
    response.set('Cache-Control', 'no-cache').type('html').send(page)
  })
  app.get(stylePath, (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('css').send(docsStyle)
  })
}

interface Listed {
  readonly method: string
  readonly path: string
  readonly operation: DocumentedOperation
}

export function docsPage(raw: object): string {
  const document = readableDocument.parse(raw)
  const listed: Listed[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const byTag = [...Map.groupBy(listed, ({ operation }) => operation.tags[0] ?? '')]
  const { title, version } = document.info
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="stylesheet" href="${stylePath}" />
      </head>
      <body>
        <a class="skip" href="#main">${label('跳到正文', 'Skip to the operations')}</a>
        <header>
          <h1>${title}</h1>
          <p>
            ${label('版本', 'Version')} ${version} ·
            <a href="${rootOf(document)}/openapi.json">OpenAPI 3.1</a>
          </p>
        </header>
        <nav aria-label="目录 Contents">${byTag.map(contents)}</nav>
        <main id="main">
          ${introduction(document)} ${byTag.map(([tag, operations]) => tagSection(tag, operations, document))}
          ${schemas(document)}
        </main>
      </body>
    </html> `.text
}

const rootOf = ({ servers }: ReadableDocument): string => servers[0]?.url ?? ''

const contents = ([tag, operations]: [string, readonly Listed[]]): Html =>
  html`<section>
    <h2><a href="#tag-${tag}">${tag}</a></h2>
    <ul>
      ${operations.map(
        ({ method, path, operation }) =>
          html`<li>
            <a href="#${operation.operationId}"
              ><b class="${method}">${method}</b> ${path}<br /><small>${operation.summary}</small></a
            >
          </li>`,
      )}
    </ul>
  </section>`

const introduction = (document: ReadableDocument): Html =>
  html`<section>
    ${prose(document.info.description)}
    <h2>${label('身份', 'Who asks')}</h2>
    <p lang="zh-CN">每次请求带上访问令牌；控制台用会话 Cookie。令牌只在签发时显示一次。</p>
    <p>
      Send an access token with each request; the console has a session cookie in its place. A token is shown
      once, when it is made.
    </p>
    <pre><code>export URL=http://127.0.0.1:8101 TOKEN=…
curl -H "Authorization: Bearer $TOKEN" "$URL${rootOf(document)}/me"</code></pre>
    <h2>${label('出错时', 'When it does not work')}</h2>
    <p lang="zh-CN">
      一律为 RFC 9457：<code>type</code> 不会变，供程序判断；<code>detail</code> 说明问题和下一步。
    </p>
    <p>
      Every error is an RFC 9457 <a href="#schema-Problem">problem</a>: its <code>type</code> is stable and
      for programs; its <code>detail</code> says what is wrong and what to do.
    </p>
  </section>`

const tagSection = (tag: string, operations: readonly Listed[], document: ReadableDocument): Html =>
  html`<section>
    <h2 id="tag-${tag}">${tag}</h2>
    ${operations.map((listed) => operationSection(listed, document))}
  </section>`

function operationSection({ method, path, operation }: Listed, document: ReadableDocument): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  const body = requestBody?.content['application/json']?.schema
  const rows = parameters.map(({ in: place, name, required, description, schema }) =>
    rowHtml({ field: `${place}: ${name}`, required, schema: { description, ...schema } }),
  )
  return html`<article id="${operationId}" aria-labelledby="${operationId}-name">
    <h3 id="${operationId}-name"><b class="${method}">${method}</b> <code>${path}</code></h3>
    <p class="summary">${summary}</p>
    ${prose(description)}
    ${
      rows.length === 0
        ? null
        : html`<table>
            <caption>
              ${label('参数', 'Parameters')}
            </caption>
            <thead>
              <tr>
                <th scope="col">${label('位置：名称', 'Place: name')}</th>
                <th scope="col">${label('类型', 'Type')}</th>
                <th scope="col">${label('含义', 'Meaning')}</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>`
    }
    ${body === undefined ? null : schemaTable(body, label('请求体', 'Body'))}
    <h4>${label('示例', 'Example')}</h4>
    <pre><code>${curl(method, path, operation, document)}</code></pre>
    <h4>${label('回答', 'Answers')}</h4>
    <dl>
      ${Object.entries(responses).map(([status, { description, content }]) => {
        const [[type, answer] = [], ...others] = Object.entries(content ?? {})
        const isProblem = type === 'application/problem+json'
        return html`<dt>${status}</dt>
          <dd>
            ${inline(description)}${
              answer === undefined || isProblem
                ? null
                : schemaTable(answer.schema, html`<code>${type ?? ''}</code>`)
            }${others.map(([other]) => html`<p>${label('或', 'or')} <code>${other}</code></p>`)}
          </dd>`
      })}
    </dl>
  </article>`
}

function curl(
  method: string,
  path: string,
  { parameters, requestBody }: DocumentedOperation,
  document: ReadableDocument,
): string {
  const body = requestBody?.content['application/json']?.schema
  const needed = (place: string) =>
    parameters.filter((parameter) => parameter.in === place && parameter.required)
  const query = needed('query').map(({ name }) => `${name}=…`)
  const parts = [
    `curl${method === 'GET' ? '' : ` -X ${method}`} -H "Authorization: Bearer $TOKEN"`,
    ...needed('header').map(({ name }) => `-H '${name}: ${name === 'If-Match' ? '"1"' : '…'}'`),
    ...(body === undefined
      ? []
      : [`--json '${JSON.stringify(exampleOf(body, document.components.schemas))}'`]),
    `"$URL${rootOf(document)}${path}${query.length > 0 ? `?${query.join('&')}` : ''}"`,
  ]
  return parts.join(' \\\n  ')
}

const schemas = ({ components }: ReadableDocument): Html =>
  html`<section>
    <h2>${label('资源', 'Resources')}</h2>
    ${Object.entries(components.schemas)
      .filter(([name]) => !name.endsWith('Input'))
      .map(
        ([name, schema]) =>
          html`<article id="schema-${name}" aria-labelledby="schema-${name}-name">
            <h3 id="schema-${name}-name">${name}</h3>
            ${schemaTable(schema, html`${name}`)}
          </article>`,
      )}
  </section>`
