// What is found in catalogues, as metrics.
import { Gauge, type Registry } from 'prom-client'

export class CatalogueGauges {
  private readonly up: Gauge
  private readonly nodes: Gauge

  constructor(registry: Registry) {
    const labelNames = ['datacenter']
    this.up = new Gauge({
      name: 'chiyuan_discovery_up',
      help: '1 while the catalogue can be heard; 0 while the nodes that it listed last are used.',
      labelNames,
      registers: [registry],
    })
    this.nodes = new Gauge({
      name: 'chiyuan_discovery_nodes',
      help: 'Nodes that the catalogue lists and that can be used.',
      labelNames,
      registers: [registry],
    })
  }

  lost(datacenter: string): void {
    this.up.set({ datacenter }, 0)
  }

  read(datacenter: string, nodes: number): void {
    this.up.set({ datacenter }, 1)
    this.nodes.set({ datacenter }, nodes)
  }
}
