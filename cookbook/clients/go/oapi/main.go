// Oapi is a client of the quickstart with code that oapi-codegen makes: go run ./oapi URL
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"regexp"

	"github.com/larder-go/larder/cookbook/clients/go/oapi/api"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, base string) error {
	client, err := api.NewClientWithResponses(base)
	if err != nil {
		return err
	}
	jar, err := createJar(ctx, client)
	if err != nil {
		return err
	}
	fmt.Println("jar", jar.Id, "has the cookies", *jar.Cookies)
	if err := listMuffins(ctx, client, jar.Id); err != nil {
		return err
	}
	if err := changeTwice(ctx, client, (*jar.Cookies)[0]); err != nil {
		return err
	}
	return fail(ctx, client)
}

// createJar creates a jar with new cookies.
func createJar(ctx context.Context, client *api.ClientWithResponses) (*api.Jar, error) {
	var cookies []api.JarCreate_Cookies_Item
	for _, kind := range []string{"muffin", "shortbread", "muffin"} {
		var cookie api.JarCreate_Cookies_Item
		if err := cookie.FromCookieCreate(api.CookieCreate{Type: &kind}); err != nil {
			return nil, err
		}
		cookies = append(cookies, cookie)
	}
	created, err := client.CreateJarWithResponse(ctx, nil, api.JarCreate{Cookies: &cookies})
	if err != nil {
		return nil, err
	}
	if created.JSON201 == nil {
		return nil, fmt.Errorf("the jar was not created: %s", created.Body)
	}
	return created.JSON201, nil
}

var next = regexp.MustCompile(`<([^>]*)>; rel="next"`)

// listMuffins lists with conditions and an order, by pages. The Link of a page has the cursor of the next one.
func listMuffins(ctx context.Context, client *api.ClientWithResponses, jar int64) error {
	params := &api.ListCookieParams{Filter: new(`{"type": {"prefix": "m"}}`), Jar: &[]int64{jar}, Sort: &[]string{"type", "-id"}, Limit: new(1)}
	for {
		page, err := client.ListCookieWithResponse(ctx, params)
		if err != nil {
			return err
		}
		if page.JSON200 == nil {
			return fmt.Errorf("the cookies are not shown: %s", page.Body)
		}
		for _, cookie := range *page.JSON200 {
			fmt.Println("cookie", cookie.Id, "is a", *cookie.Type)
		}
		link := next.FindStringSubmatch(page.HTTPResponse.Header.Get("Link"))
		if link == nil {
			return nil
		}
		u, err := url.Parse(link[1])
		if err != nil {
			return err
		}
		params.After = new(u.Query().Get("after"))
	}
}

// changeTwice changes a cookie as it was read. The second change has an old ETag.
func changeTwice(ctx context.Context, client *api.ClientWithResponses, id int64) error {
	read, err := client.GetCookieWithResponse(ctx, id, nil)
	if err != nil {
		return err
	}
	if read.JSON200 == nil {
		return fmt.Errorf("the cookie is not shown: %s", read.Body)
	}
	for _, kind := range []string{"pie", "tart"} {
		params := &api.PatchCookieParams{IfMatch: &read.Headers200.ETag}
		changed, err := client.PatchCookieWithResponse(ctx, id, params, api.CookiePatch{Type: &kind})
		switch {
		case err != nil:
			return err
		case changed.JSON200 != nil:
			fmt.Println("cookie", id, "is a", *changed.JSON200.Type)
		case changed.StatusCode() == http.StatusPreconditionFailed:
			fmt.Println("the record has changed in between")
		default:
			return fmt.Errorf("the cookie was not changed: %s", changed.Body)
		}
	}
	return nil
}

// fail shows errors. Each code has its own details.
func fail(ctx context.Context, client *api.ClientWithResponses) error {
	missing, err := client.GetCookieWithResponse(ctx, 4711, nil)
	if err != nil {
		return err
	}
	notFound, err := missing.JSON404.Error.AsObjectDoesNotExistError()
	if err != nil {
		return err
	}
	fmt.Println("no", notFound.Details.ObjectName, "has the id", notFound.Details.ObjectId)
	wrong, err := client.ListCookieWithResponse(ctx, &api.ListCookieParams{Filter: new(`{"size": 1}`)})
	if err != nil {
		return err
	}
	problem, err := wrong.JSON400.Error.ValueByDiscriminator()
	if err != nil {
		return err
	}
	if unknown, ok := problem.(api.FieldDoesNotExistError); ok {
		fmt.Println(unknown.Details.ObjectName, "has no field", unknown.Details.FieldName)
	}
	return nil
}
