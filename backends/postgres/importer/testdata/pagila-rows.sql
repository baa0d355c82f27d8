-- Rows for the schema of pagila, which has none of its own.
SET search_path = public;
INSERT INTO actor (first_name, last_name, last_update)
  SELECT 'FIRST' || n % 7, 'LAST' || n, timestamptz '2022-02-15 09:34:33+00' + n * interval '1 hour' FROM generate_series(1, 60) n;
INSERT INTO category (name) VALUES ('Action'), ('animation'), ('Ärzte'), ('Comedy');
INSERT INTO country (country) VALUES ('Austria'), ('Brazil'), ('côte d''Ivoire');
INSERT INTO city (city, country_id) SELECT 'city ' || n, 1 + n % 3 FROM generate_series(1, 20) n;
INSERT INTO address (address, address2, district, city_id, postal_code, phone)
  SELECT n || ' street', NULLIF('floor ' || n % 3, 'floor 0'), CASE WHEN n % 2 = 0 THEN 'north' ELSE '' END, 1 + n % 20, (1000 + n % 5)::text, '+43 ' || n
  FROM generate_series(1, 40) n;
INSERT INTO language (name) VALUES ('English'), ('Italian'), ('Japanese');
INSERT INTO film (title, description, release_year, language_id, original_language_id, rental_duration, rental_rate, length, replacement_cost, rating, special_features)
  SELECT 'film ' || n, 'about ' || n % 9, 1990 + n % 30, 1 + n % 3, NULLIF(n % 4, 0), 3 + n % 5, (n % 12) + 0.99, NULLIF(n % 180, 0), 9.99 + n % 20,
    (enum_range(NULL::mpaa_rating))[1 + n % 5], CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE '{Trailers,"Deleted Scenes"}'::text[] END
  FROM generate_series(1, 150) n;
INSERT INTO film_actor (actor_id, film_id) SELECT 1 + n % 60, 1 + n % 150 FROM generate_series(1, 150) n;
INSERT INTO film_category (film_id, category_id) SELECT n, 1 + n % 4 FROM generate_series(1, 150) n;
INSERT INTO film_embedding (film_id, embedding) SELECT n, ARRAY[n, n / 10.0, -0.5]::real[] FROM generate_series(1, 30) n;
INSERT INTO store (manager_staff_id, address_id) VALUES (1, 1), (2, 2);
INSERT INTO staff (first_name, last_name, address_id, email, store_id, active, username, password, picture)
  VALUES ('Mike', 'Hillyer', 3, 'mike@example.com', 1, true, 'Mike', 'x', '\x89504e47'), ('Jon', 'Stephens', 4, NULL, 2, false, 'Jon', NULL, NULL);
INSERT INTO customer (store_id, first_name, last_name, email, address_id, activebool, create_date, active)
  SELECT 1 + n % 2, 'MARY' || n % 5, 'SMITH' || n, NULLIF('mary' || n || '@example.com', 'mary3@example.com'), 5 + n % 30, n % 4 <> 0,
    date '2022-02-14' - n * 40, n % 2
  FROM generate_series(1, 50) n;
INSERT INTO inventory (film_id, store_id) SELECT 1 + n % 140, 1 + n % 2 FROM generate_series(1, 200) n;
INSERT INTO rental (rental_date, inventory_id, customer_id, return_date, staff_id)
  SELECT timestamptz '2022-05-24 21:54:33+00' + n * interval '7 hours', 1 + n % 190, 1 + n % 50,
    CASE WHEN n % 6 > 0 THEN timestamptz '2022-06-01 00:00:00.5+00' + n * interval '5 hours' END, 1 + n % 2
  FROM generate_series(1, 200) n;
INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
  SELECT 1 + n % 50, 1 + n % 2, 1 + n % 200, (n % 12) + 0.99, timestamptz '2022-05-25 12:00:00+00' + n * interval '5 days' FROM generate_series(1, 200) n;
REFRESH MATERIALIZED VIEW rental_by_category;
ANALYZE;
