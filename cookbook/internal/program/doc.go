// Package program is what the programs of the cookbook have in common and what is
// none of their point: the end of a process, the -store flag, serving until a
// signal.
//
//	func main() { program.Main(run) }
//
//	func run(ctx context.Context, p *program.Program) error {
//		p.AddrFlag()
//		where := p.StoreFlags()
//		if err := p.Parse(); err != nil {
//			return err
//		}
//		backend, err := where.Backend(ctx, model)
//		if err != nil {
//			return err
//		}
//		store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{Resources: []string{"jar"}}))
//		if err != nil {
//			return err
//		}
//		defer store.Close()
//		...
//		return p.Serve(ctx, store, handler)
//	}
//
// A mistake of the user is one line on the standard error and exit code 1, flags
// that do not parse one line, too, and exit code 2.
package program
