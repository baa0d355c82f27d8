// Ogen is a client of the quickstart with code that ogen makes: go run ./ogen URL
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"
	"regexp"

	"github.com/larder-go/larder/cookbook/clients/go/ogen/api"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, base string) error {
	client, err := api.NewClient(base)
	if err != nil {
		return err
	}
	jar, err := createJar(ctx, client)
	if err != nil {
		return err
	}
	fmt.Println("jar", jar.ID, "has the cookies", jar.Cookies)
	if err := listMuffins(ctx, client, jar.ID); err != nil {
		return err
	}
	if err := changeTwice(ctx, client, jar.Cookies[0]); err != nil {
		return err
	}
	return fail(ctx, client)
}

// createJar creates a jar with new cookies.
func createJar(ctx context.Context, client *api.Client) (*api.Jar, error) {
	var cookies []api.JarCreateCookiesItem
	for _, kind := range []string{"muffin", "shortbread", "muffin"} {
		cookies = append(cookies, api.NewCookieCreateJarCreateCookiesItem(api.CookieCreate{Type: api.NewOptNilString(kind)}))
	}
	created, err := client.CreateJar(ctx, &api.JarCreate{Cookies: api.NewOptNilJarCreateCookiesItemArray(cookies)}, api.CreateJarParams{})
	if err != nil {
		return nil, err
	}
	answer, ok := created.(*api.JarHeaders)
	if !ok {
		return nil, fmt.Errorf("the jar was not created: %v", created)
	}
	return &answer.Response, nil
}

var next = regexp.MustCompile(`<([^>]*)>; rel="next"`)

// listMuffins lists with conditions and an order, by pages. The Link of a page has the cursor of the next one.
func listMuffins(ctx context.Context, client *api.Client, jar int64) error {
	params := api.ListCookieParams{
		Filter: api.NewOptString(`{"type": {"prefix": "m"}}`), Jar: []int64{jar}, Sort: []string{"type", "-id"}, Limit: api.NewOptInt(1),
	}
	for {
		answer, err := client.ListCookie(ctx, params)
		if err != nil {
			return err
		}
		page, ok := answer.(*api.CookiePageHeaders)
		if !ok {
			return fmt.Errorf("the cookies are not shown: %v", answer)
		}
		for _, cookie := range page.Response {
			fmt.Println("cookie", cookie.ID, "is a", cookie.Type.Value)
		}
		link := next.FindStringSubmatch(page.Link.Value)
		if link == nil {
			return nil
		}
		u, err := url.Parse(link[1])
		if err != nil {
			return err
		}
		params.After = api.NewOptString(u.Query().Get("after"))
	}
}

// changeTwice changes a cookie as it was read. The second change has an old ETag.
func changeTwice(ctx context.Context, client *api.Client, id int64) error {
	answer, err := client.GetCookie(ctx, api.GetCookieParams{ID: id})
	if err != nil {
		return err
	}
	read, ok := answer.(*api.GetCookieOKHeaders)
	if !ok {
		return fmt.Errorf("the cookie is not shown: %v", answer)
	}
	for _, kind := range []string{"pie", "tart"} {
		params := api.PatchCookieParams{ID: id, IfMatch: api.NewOptString(read.ETag)}
		answer, err := client.PatchCookie(ctx, &api.PatchCookieApplicationJSON{Type: api.NewOptNilString(kind)}, params)
		if err != nil {
			return err
		}
		switch changed := answer.(type) {
		case *api.GetCookieOKHeaders:
			fmt.Println("cookie", id, "is a", changed.Response.Type.Value)
		case *api.PreconditionFailedBody:
			fmt.Println("the record has changed in between")
		default:
			return fmt.Errorf("the cookie was not changed: %v", changed)
		}
	}
	return nil
}

// fail shows errors. Each code has its own details.
func fail(ctx context.Context, client *api.Client) error {
	missing, err := client.GetCookie(ctx, api.GetCookieParams{ID: 4711})
	if err != nil {
		return err
	}
	if body, ok := missing.(*api.NotFoundBody); ok {
		if e, ok := body.Error.GetObjectDoesNotExistError(); ok {
			fmt.Println("no", e.Details.ObjectName, "has the id", string(e.Details.ObjectID))
		}
	}
	wrong, err := client.ListCookie(ctx, api.ListCookieParams{Filter: api.NewOptString(`{"size": 1}`)})
	if err != nil {
		return err
	}
	if body, ok := wrong.(*api.BadRequestBody); ok {
		if e, ok := body.Error.GetFieldDoesNotExistError(); ok {
			fmt.Println(e.Details.ObjectName, "has no field", e.Details.FieldName)
		}
	}
	return nil
}
