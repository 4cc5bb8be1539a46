// A way to a node that the test can cut and open again.

import {connect, createServer, type Server, type Socket} from 'node:net';

export class Proxy {
  private readonly sockets = new Set<Socket>();
  private readonly held: Socket[] = []; // that wait for the way to be open
  private open = true;
  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    readonly page: string, // the node's page by this way
  ) {}

  static async to(page: string): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const {port} = server.address() as {port: number};
    const proxy = new Proxy(server, new URL(page), `http://127.0.0.1:${port}/`);
    server.on('connection', (socket) => proxy.take(socket));
    return proxy;
  }

  /** Ends all connections; new ones get no answer until `restore`. */
  cut(): void {
    this.open = false;
    for (const socket of this.sockets) socket.destroy();
  }

  restore(): void {
    this.open = true;
    for (const socket of this.held.splice(0)) if (!socket.destroyed) this.join(socket);
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private take(socket: Socket): void {
    this.remember(socket);
    if (this.open) this.join(socket);
    else this.held.push(socket);
  }

  private join(socket: Socket): void {
    const onward = connect(Number(this.target.port), this.target.hostname);
    this.remember(onward);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }

  private remember(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
}
