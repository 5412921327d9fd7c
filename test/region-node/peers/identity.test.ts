// The names in a peer's certificate, as an attacker would write them.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { namesIn, regionOfPeer, uriOfRegion } from '../../../region-node/peers/identity.ts'

const own = 'URI:urn:chiyuan:region:610400'

describe('the region that a certificate names', () => {
  it.each([
    ['alone', own],
    ['before names of hosts', `${own}, DNS:node.example, IP Address:127.0.0.1`],
    ['after names of hosts', `DNS:node.example, IP Address:0:0:0:0:0:0:0:1, ${own}`],
    ['among other URIs', `URI:https://node.example/a, ${own}, URI:urn:other:610100`],
    ['beside a name that Node quoted', `DNS:"a, URI:urn:chiyuan:region:610100", ${own}`],
    [
      'beside a quote that is closed inside the quoted name',
      `DNS:"a\\", URI:urn:chiyuan:region:610100", ${own}`,
    ],
    ['beside a name of another kind', `othername:<unsupported>, ${own}, Registered ID:1.2.3`],
    ['beside a directory name', `DirName:"CN=a,O=URI:urn:chiyuan:region:610100", ${own}`],
  ])('is read %s', (_, text) => {
    expect(regionOfPeer(text)).toBe('610400')
  })

  it.each([
    ['no names at all', undefined],
    ['an empty text', ''],
    ['no URI', 'DNS:node.example'],
    ['two regions', `${own}, URI:urn:chiyuan:region:610100`],
    ['the same region twice', `${own}, ${own}`],
    ['a second claim in capitals', `${own}, URI:URN:CHIYUAN:REGION:610100`],
    ['a second claim in quotes', `${own}, URI:"urn:chiyuan:region:610100,x"`],
    ['a second claim that is no code', `${own}, URI:urn:chiyuan:region:all`],
    ['capitals', 'URI:URN:chiyuan:region:610400'],
    ['a region in a DNS name', 'DNS:urn:chiyuan:region:610400'],
    ['a region in an email', 'email:urn:chiyuan:region:610400'],
    ['a URI inside a quoted DNS name', `DNS:"a, ${own}"`],
    ['a URI inside a quoted DNS name after an escaped quote', `DNS:"a\\", ${own}"`],
    ['a URI inside a quoted name of another kind', `othername:"${own}, DNS:a"`],
    ['an own kind that begins like ours', 'othername:URI:urn:chiyuan:region:610400'],
    ['a quote that never ends', `DNS:"a, ${own}`],
    ['a quote in the middle of a plain name', `DNS:a"b", ${own}`],
    ['something after the quote', `DNS:"a"b, ${own}`],
    ['an escape that JSON has not', `DNS:"\\x", ${own}`],
    ['a comma without a blank', `DNS:a,${own}`],
    ['a blank too many', `DNS:a,  ${own}`],
    ['a comma at the end', `${own}, `],
    ['a line break between', `DNS:a\n${own}`],
    ['a line break after', `${own}\n`],
    ['a zero byte', `${own}\0`],
    ['five digits', 'URI:urn:chiyuan:region:61040'],
    ['seven digits', 'URI:urn:chiyuan:region:6104001'],
    ['a leading zero', 'URI:urn:chiyuan:region:010400'],
    ['digits of another script', 'URI:urn:chiyuan:region:٦١٠٤٠٠'],
    ['a percent-encoded digit', 'URI:urn:chiyuan:region:61040%30'],
    ['a fragment', 'URI:urn:chiyuan:region:610400#a'],
    ['a blank after', 'URI:urn:chiyuan:region:610400 '],
    ['another prefix before it', 'URI:x-urn:chiyuan:region:610400'],
    ['another URN that begins alike', 'URI:urn:chiyuan:regions:610400'],
    ['a name without a kind', ':urn:chiyuan:region:610400'],
  ])('is not read from %s', (_, text) => {
    expect(regionOfPeer(text)).toBeNull()
  })

  it('is the one that was written', () => {
    expect(regionOfPeer(`URI:${uriOfRegion('610100')}`)).toBe('610100')
  })

  it('is never taken out of what a host is called', () => {
    // As Node quotes: whatever is not plain becomes a JSON string.
    const written = (text: string) => (/^[ !#-&(-+\--[\]-~]*$/.test(text) ? text : JSON.stringify(text))
    const piece = fc.constantFrom(own, ', ', '"', '\\', "'", 'DNS:', 'a', '\n', ',', '\\"')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const host = pieces.join('')
        const text = `DNS:${written(host)}`
        expect(namesIn(text)).toEqual([{ kind: 'DNS', value: host }])
        expect(regionOfPeer(text)).toBeNull()
        expect(regionOfPeer(`${text}, URI:urn:chiyuan:region:610100`)).toBe('610100')
      }),
    )
  })

  it('is sought in time that grows with the text, not faster', () => {
    const begun = performance.now()
    for (const text of [
      'DNS:"' + '\\"'.repeat(200_000),
      'a:'.repeat(200_000) + '"',
      'DNS:a, '.repeat(60_000) + '"',
    ]) {
      expect(regionOfPeer(text)).toBeNull()
    }
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})
