-- Which jobs do the mothers of male students younger than 20 have?
SELECT DISTINCT mjob
FROM student_data
WHERE sex = 'm' AND age < 20 AND mjob IS NOT NULL
ORDER BY mjob;
