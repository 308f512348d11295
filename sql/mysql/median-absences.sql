-- What is the median of absences for average and low family relations, by sex, and also by sex and family relations?
-- famrel goes from 1 (very bad) to 5 (excellent); average and low are 1 to 3. famrel is empty in the rows by sex alone.
-- MySQL has no median: it is the value in the middle, or the mean of the two in the middle where their number is even.
WITH chosen AS (
  SELECT sex, famrel, absences
  FROM student_data
  WHERE famrel <= 3 AND sex IS NOT NULL AND absences IS NOT NULL
),
placed AS (
  SELECT
    'sex' AS breakdown, sex, NULL AS famrel, absences,
    ROW_NUMBER() OVER (PARTITION BY sex ORDER BY absences) AS place,
    COUNT(*) OVER (PARTITION BY sex) AS students
  FROM chosen
  UNION ALL
  SELECT
    'sex, famrel', sex, famrel, absences,
    ROW_NUMBER() OVER (PARTITION BY sex, famrel ORDER BY absences),
    COUNT(*) OVER (PARTITION BY sex, famrel)
  FROM chosen
)
SELECT breakdown, sex, famrel, students, AVG(absences * 1e0) AS median_absences
FROM placed
WHERE place IN (FLOOR((students + 1) / 2), FLOOR((students + 2) / 2))
GROUP BY breakdown, sex, famrel, students
ORDER BY breakdown, sex, famrel;
